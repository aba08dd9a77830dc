"""Reference lines against lines calculated by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.dicom.origins import FileOrigin
from engine.geometry.reference_lines import nearest_frame, reference_line
from engine.study import FrameRef, ImageRef

AXIAL = FrameRef(
    ImageRef(FileOrigin(Path("a")), rows=200, columns=100),
    position=(0.5, 0.5, 50.0),  # so that the outer corner of the first pixel is x = 0, y = 0
    orientation=(1, 0, 0, 0, 1, 0),
    spacing=(1.0, 1.0),
    spacing_source="pixel",
    frame_of_reference="1.2.3",
)
SAGITTAL = replace(
    AXIAL,
    image=ImageRef(FileOrigin(Path("s")), rows=60, columns=80),
    position=(30.0, 21.0, 109.0),  # columns run to the back 2 mm apart, rows to the feet 2 mm apart
    orientation=(0, 1, 0, 0, 0, -1),
    spacing=(2.0, 2.0),
)


def test_a_sagittal_plane_intersects_an_axial_image_from_anterior_to_posterior() -> None:
    ends = reference_line(SAGITTAL, AXIAL)
    assert ends is not None
    assert sorted(ends) == [pytest.approx((30, 20)), pytest.approx((30, 180))]  # x = 30; y from 20 to 20 + 80 x 2


def test_an_axial_plane_intersects_a_sagittal_image_at_its_height() -> None:
    ends = reference_line(AXIAL, SAGITTAL)
    assert ends is not None
    assert sorted(ends) == [pytest.approx((-10, 30)), pytest.approx((90, 30))]  # z = 50 lies 60 mm below the top edge


def test_an_image_that_does_not_reach_the_plane_has_no_line() -> None:
    assert reference_line(replace(SAGITTAL, position=(30.0, 21.0, 400.0)), AXIAL) is None


def test_frames_without_a_common_frame_of_reference_have_no_line() -> None:
    assert reference_line(replace(SAGITTAL, frame_of_reference="1.2.4"), AXIAL) is None
    assert reference_line(replace(SAGITTAL, frame_of_reference=""), replace(AXIAL, frame_of_reference="")) is None


def test_parallel_planes_and_planes_without_a_position_have_no_line() -> None:
    assert reference_line(replace(AXIAL, position=(0.5, 0.5, 60.0)), AXIAL) is None
    assert reference_line(replace(SAGITTAL, position=None), AXIAL) is None
    assert reference_line(replace(SAGITTAL, spacing_source="imager"), AXIAL) is None


def test_an_oblique_plane_has_an_oblique_line() -> None:
    oblique = replace(
        AXIAL,
        image=ImageRef(FileOrigin(Path("o")), rows=100, columns=100),
        position=(0.0, 0.0, 100.0),
        orientation=(0.6, 0.8, 0, 0, 0, -1),
    )
    ends = reference_line(oblique, AXIAL)
    assert ends is not None
    (x0, y0), (x1, y1) = sorted(ends)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(0.8 / 0.6)


def test_the_slice_nearest_to_a_position() -> None:
    frames = [replace(AXIAL, position=(0.5, 0.5, z)) for z in (0.0, 5.0, 10.0)]
    assert nearest_frame(frames, (12.0, 3.0, 7.6)) == 2
    assert nearest_frame(frames, (12.0, 3.0, -90.0)) == 0
    assert nearest_frame([replace(AXIAL, position=None)], (0, 0, 0)) is None
