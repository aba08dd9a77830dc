"""Linked scrolling by position: the nearest parallel frame of the same frame of reference, else none."""

from dataclasses import replace
from pathlib import Path

from engine.dicom.origins import FileOrigin
from engine.geometry.linked_frames import at_an_angle, frame_at_same_distance, frame_at_same_position
from engine.study import FrameRef, ImageRef

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
TILTED = (1.0, 0.0, 0.0, 0.0, 0.995, 0.0998)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def stack(count: int, step: float, start: float = 0.0, orientation: tuple[float, ...] = AXIAL) -> list[FrameRef]:
    image = ImageRef(FileOrigin(Path("slice.dcm")))
    return [
        FrameRef(image, 0, (0.0, 0.0, start + number * step), orientation, (1.0, 1.0), frame_of_reference="1.2")  # type: ignore[arg-type]
        for number in range(count)
    ]


def test_stacks_of_different_spacing_meet_at_the_same_millimetre() -> None:
    thick, thin = stack(10, 5.0), stack(50, 1.0)
    assert frame_at_same_position(thick[4], thin) == 20
    assert frame_at_same_position(thin[23], thick) == 5  # 23 mm lies nearest to 25


def test_a_stack_sorted_the_other_way_is_followed_by_position() -> None:
    assert frame_at_same_position(stack(10, 5.0)[2], stack(10, 5.0)[::-1]) == 7


def test_beyond_the_end_it_stays_at_the_end() -> None:
    assert frame_at_same_position(stack(10, 5.0, start=100)[9], stack(10, 5.0)) == 9


def test_a_slight_tilt_is_parallel_and_a_right_angle_is_not() -> None:
    assert frame_at_same_position(stack(3, 5.0)[1], stack(3, 5.0, orientation=TILTED)) == 1
    assert frame_at_same_position(stack(3, 5.0)[1], stack(3, 5.0, orientation=SAGITTAL)) is None


def test_without_a_shared_frame_of_reference_positions_are_not_comparable() -> None:
    others = [replace(frame, frame_of_reference="9.9") for frame in stack(3, 5.0)]
    assert frame_at_same_position(stack(3, 5.0)[1], others) is None
    assert frame_at_same_position(replace(stack(1, 1.0)[0], frame_of_reference=""), stack(3, 5.0)) is None
    assert frame_at_same_position(replace(stack(1, 1.0)[0], position=None), stack(3, 5.0)) is None
    assert frame_at_same_position(stack(1, 1.0)[0], []) is None


def test_stacks_of_one_frame_of_reference_are_at_an_angle_when_no_frame_is_parallel() -> None:
    axial, sagittal = stack(3, 5.0), stack(3, 5.0, orientation=SAGITTAL)
    assert at_an_angle(axial[1], sagittal)
    assert not at_an_angle(axial[1], stack(3, 5.0, orientation=TILTED))
    assert not at_an_angle(axial[1], [*sagittal, *axial])
    assert at_an_angle(axial[1], [replace(frame, frame_of_reference="9.9") for frame in sagittal])
    assert not at_an_angle(axial[1], [])


def test_a_stack_of_another_study_moves_as_many_millimetres_in_the_same_patient_direction() -> None:
    thin = stack(40, 1.0)
    thick = [replace(frame, frame_of_reference="9.9") for frame in stack(10, 5.0, start=300)][::-1]
    assert thick[6].position == (0.0, 0.0, 315.0)
    assert [frame_at_same_distance(thin[at], thin[15], thick, thick[6]) for at in (15, 17, 18, 25, 10, 0)] == [
        6,
        6,
        5,
        4,
        7,
        9,
    ]
    assert frame_at_same_distance(thick[4], thick[6], thin, thin[15]) == 25  # and back


def test_without_positions_there_is_no_distance() -> None:
    flat = [replace(frame, position=None) for frame in stack(3, 1.0)]
    assert frame_at_same_distance(flat[1], flat[0], stack(3, 5.0), stack(3, 5.0)[0]) is None
    assert frame_at_same_distance(stack(3, 1.0)[1], stack(3, 1.0)[0], flat, flat[0]) is None
