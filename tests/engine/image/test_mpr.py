"""Volumes and MPR: every value at its position in the patient, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import generate_uid

from engine.dicom.listing import open_path
from engine.errors import Cancelled, UserError
from engine.geometry.planes import edge_letters, to_image, to_patient
from engine.image.mpr import Planes, is_plane, planes_of
from engine.image.pixels import read_frame
from engine.image.volume import load_volume, why_no_volume
from engine.progress import ignore, never
from engine.study import FrameRef, Series
from tests.engine.dicom_samples import derive, derive_stack

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
TURNED = [0.8, 0.6, 0.0, -0.48, 0.64, 0.6]  # rows and columns oblique to all three axes of the patient
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]
CORONAL = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]


def stack(folder: Path, orientation: list[float], depths: list[float], **changes: Any) -> Series:
    """Slices of a real CT, 0.5 x 0.8 mm, along the normal; each has its own values, so that none can be mistaken."""
    across = np.cross(orientation[:3], orientation[3:])
    common = {
        "SeriesInstanceUID": generate_uid(),
        "ImageOrientationPatient": orientation,
        "PixelSpacing": [0.5, 0.8],
        "FrameOfReferenceUID": "1.2.3",
    } | changes
    for index, depth in enumerate(depths):
        own = {"InstanceNumber": index + 1, "RescaleIntercept": -1024 + 7 * index}
        derive(
            folder / f"{index}.dcm",
            "CT_small.dcm",
            ImagePositionPatient=[float(part) for part in (10, -20, 30) + across * depth],
            **(common | own),
        )
    (series,) = open_path(folder).studies[0].series
    return series


def planes(series: Series) -> Planes:
    return planes_of(load_volume(series, read_frame, ignore, never))


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL, TURNED])
@pytest.mark.parametrize("downwards", [False, True])
def test_every_value_of_a_plane_is_the_one_acquired_at_its_position(
    tmp_path: Path, orientation: list[float], downwards: bool
) -> None:
    depths = [0.0, 2.5, 5.0, 7.5]
    series = stack(tmp_path, orientation, depths[::-1] if downwards else depths)
    made = planes(series)
    random = np.random.default_rng(1)
    for plane in made.series:
        for frame in random.choice(np.array(plane.frames, object), 3):
            shown = made.read(frame)
            assert shown.values.shape == (frame.image.rows, frame.image.columns)
            for _ in range(20):
                column, row = int(random.integers(frame.image.columns)), int(random.integers(frame.image.rows))
                position = to_patient(frame, (column + 0.5, row + 0.5))
                assert position is not None
                source, point = nearest_source(series, position)
                expected = read_frame(source).values[int(point[1]), int(point[0])]
                assert shown.values[row, column] == expected


@pytest.mark.parametrize(("orientation", "plane", "axis"), [(AXIAL, 0, 2), (CORONAL, 1, 1), (SAGITTAL, 2, 0)])
@pytest.mark.parametrize("downwards", [False, True])
def test_planes_along_the_slices_count_as_the_stack_does_and_keep_their_numbers_for_measurements(
    tmp_path: Path, orientation: list[float], plane: int, axis: int, downwards: bool
) -> None:
    depths = [0.0, 2.5, 5.0, 7.5]
    series = stack(tmp_path, orientation, depths[::-1] if downwards else depths)
    frames = planes(series).series[plane].frames
    place = [frame.position[axis] for frame in series.frames if frame.position is not None]
    assert [frame.position[axis] for frame in frames if frame.position is not None] == pytest.approx(place)
    from_the_head = sorted(frames, key=lambda frame: frame.position[axis] if frame.position else 0.0, reverse=axis != 1)
    assert [frame.frame for frame in from_the_head] == [0, 1, 2, 3]


def nearest_source(series: Series, position: tuple[float, float, float]) -> tuple[FrameRef, tuple[float, float]]:
    """The slice that contains a position, and its image point, by the geometry of the original files."""
    for frame in series.frames:
        seen = to_image(frame, position)
        assert seen is not None
        if abs(seen[1]) < 1e-3:
            assert seen[0][0] % 1 == pytest.approx(0.5, abs=1e-3)  # planes go through measured values
            return frame, seen[0]
    raise AssertionError("the plane lies between the slices")


@pytest.mark.parametrize("orientation", [AXIAL, SAGITTAL, CORONAL])
def test_planes_follow_the_radiological_convention(tmp_path: Path, orientation: list[float]) -> None:
    axial, coronal, sagittal = planes(stack(tmp_path, orientation, [0.0, 2.5, 5.0])).series
    assert edge_letters(axial.frames[0]) == ("R", "A", "L", "P")
    assert edge_letters(coronal.frames[0]) == ("R", "H", "L", "F")
    assert edge_letters(sagittal.frames[0]) == ("A", "H", "P", "F")
    assert [series.part for series in (axial, coronal, sagittal)] == ["Axial", "Coronal", "Sagittal"]


def test_an_oblique_stack_gives_oblique_planes_whose_letters_say_so(tmp_path: Path) -> None:
    axial, _, _ = planes(stack(tmp_path, TURNED, [0.0, 2.5, 5.0])).series
    letters = edge_letters(axial.frames[0])
    assert letters is not None
    assert len(letters[2]) > 1


def test_planes_keep_the_spacing_of_the_stack(tmp_path: Path) -> None:
    axial, coronal, sagittal = planes(stack(tmp_path, AXIAL, [0.0, 2.5, 5.0])).series
    assert axial.frames[0].spacing == pytest.approx((0.5, 0.8))
    assert coronal.frames[0].spacing == pytest.approx((2.5, 0.8))  # rows a slice apart, columns as before
    assert sagittal.frames[0].spacing == pytest.approx((2.5, 0.5))
    assert len(coronal.frames) == 128
    assert (coronal.frames[0].image.rows, coronal.frames[0].image.columns) == (3, 128)
    assert all(is_plane(frame) for frame in coronal.frames)


def test_planes_keep_unit_windows_and_modality_of_their_stack(tmp_path: Path) -> None:
    series = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0])
    made = planes(series)
    assert made.volume.values.dtype == np.int16
    source = read_frame(series.frames[1])
    shown = made.read(made.series[1].frames[3])
    assert (shown.unit, shown.windows, shown.modality) == ("HU", source.windows, "CT")


def test_non_integer_values_are_kept(tmp_path: Path) -> None:
    made = planes(stack(tmp_path, AXIAL, [0.0, 2.5, 5.0], RescaleSlope=0.25))
    assert made.volume.values.dtype == np.float32
    assert made.volume.values[0, 5, 6] == read_frame(made.volume.series.frames[0]).values[5, 6]


@pytest.mark.parametrize(
    ("depths", "sentence"),
    [
        ([0.0, 2.5], "at least 3 slices"),
        ([0.0, 2.5, 5.0, 10.0], "1 slice is missing"),
        ([0.0, 2.5, 10.0, 12.5, 20.0, 22.5, 25.0], "4 slices are missing"),
        ([0.0, 2.5, 5.7, 7.5], "unevenly spaced (1.80 to 3.20 mm apart)"),
        ([0.0, 2.5, 2.5, 5.0], "the same position"),
    ],
)
def test_a_stack_with_gaps_is_refused_with_its_reason(tmp_path: Path, depths: list[float], sentence: str) -> None:
    series = stack(tmp_path, AXIAL, depths)
    assert sentence in why_no_volume(series.frames)
    with pytest.raises(UserError, match=r"\w"):
        load_volume(series, read_frame, ignore, never)


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path: Path) -> None:
    tilt = np.radians(15)
    orientation = [1.0, 0.0, 0.0, 0.0, float(np.cos(tilt)), float(-np.sin(tilt))]
    derive_stack(tmp_path, [0, 3, 6, 9], ImageOrientationPatient=orientation)  # the table moves along z
    (series,) = open_path(tmp_path).studies[0].series
    assert "tilted by 15°" in why_no_volume(series.frames)


def test_slices_that_differ_or_have_no_position_are_refused(tmp_path: Path) -> None:
    frames = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0]).frames
    small = replace(frames[1], image=replace(frames[1].image, rows=64))
    assert "differ in size" in why_no_volume((frames[0], small, frames[2]))
    assert "pixel spacing" in why_no_volume((frames[0], replace(frames[1], spacing=(0.5, 0.9)), frames[2]))
    assert "do not have" in why_no_volume(tuple(replace(frame, position=None) for frame in frames))
    turned = replace(frames[1], orientation=(0.8, 0.6, 0.0, -0.6, 0.8, 0.0))
    assert "not parallel" in why_no_volume((frames[0], turned, frames[2]))
    detector = tuple(replace(frame, spacing_source="imager") for frame in frames)
    assert "at the detector only" in why_no_volume(detector)


def test_a_stack_too_large_for_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    series = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0])
    with pytest.raises(UserError, match="memory"):
        load_volume(series, read_frame, ignore, never, max_bytes=1000)


def test_loading_a_volume_can_be_cancelled(tmp_path: Path) -> None:
    series = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0])
    with pytest.raises(Cancelled):
        load_volume(series, read_frame, ignore, lambda: True)


def test_padding_of_the_slices_is_padding_of_their_planes(tmp_path: Path) -> None:
    """A real CT, one of whose stored values is declared as padding."""
    series = stack(tmp_path, AXIAL, [0.0, 2.5, 5.0, 7.5])
    value = int(read_frame(series.frames[1]).stored[64, 5])
    made = planes(stack(tmp_path / "padded", AXIAL, [0.0, 2.5, 5.0, 7.5], PixelPaddingValue=value))
    axial, coronal, _ = made.series
    for frame in axial.frames:
        mask, plane = made.volume.masked, made.read(frame)
        assert mask is not None
        assert plane.padding is not None
        assert np.array_equal(plane.padding, read_frame(made.volume.series.frames[3 - frame.frame]).padding)  # type: ignore[arg-type]
    cut = made.read(coronal.frames[64])
    assert cut.padding is not None
    assert np.array_equal(cut.padding, made.volume.masked[::-1, 64])  # type: ignore[index]
    assert planes(series).volume.masked is None
    assert made.volume.nbytes == planes(series).volume.nbytes * 3 / 2  # one byte beside the two of a value


def test_planes_of_two_stacks_of_a_series_have_different_uids_whichever_was_opened_alone(tmp_path: Path) -> None:
    one, other = (stack(tmp_path / name, AXIAL, [0.0, 2.5, 5.0], SeriesInstanceUID="1.2.9") for name in "ab")
    assert one.key == other.key
    names = {series.frames[0].image.sop_uid for stacked in (one, other, one) for series in planes(stacked).series}
    assert len(names) == 6
