"""Which spacing measurements use, on real files, and when there are no millimetres."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from engine.dicom.listing import open_path
from engine.geometry.spacing import pixel_shape, spacing_for
from engine.measure.formulas import length
from engine.study import FrameRef
from tests.engine.dicom_samples import dataset, derive, sample


def frame_of(path: Path) -> FrameRef:
    return next(open_path(path).studies[0].frames())


def test_mr_uses_its_pixel_spacing() -> None:
    spacing = spacing_for(frame_of(sample("MR2_UNCI.dcm")), [(0, 0), (10, 0)])
    assert (spacing.unit, spacing.source) == ("mm", "pixel")
    assert (spacing.row, spacing.column) == pytest.approx((0.195313, 0.195313))


@pytest.mark.parametrize("name", ["RG1_UNCI.dcm", "RG3_UNCI.dcm"])  # Pixel Spacing 0\\0, and none at all
def test_a_radiograph_without_a_usable_spacing_is_measured_in_pixels_with_the_reason(name: str) -> None:
    spacing = spacing_for(frame_of(sample(name)), [(0, 0), (30, 40)])
    assert (spacing.in_mm, spacing.unit, spacing.description) == (False, "px", "no pixel spacing")
    assert length((0, 0), (30, 40), spacing) == 50


def test_a_radiograph_with_imager_spacing_is_measured_at_the_detector_with_a_remark(tmp_path: Path) -> None:
    spacing = spacing_for(frame_of(derive(tmp_path / "x.dcm", "RG3_J2KI.dcm", ImagerPixelSpacing=[0.15, 0.15])))
    assert (spacing.unit, spacing.source) == ("mm", "imager")
    assert length((0, 0), (30, 40), spacing) == pytest.approx(7.5)
    assert "not corrected" in spacing.description


@pytest.mark.parametrize(
    ("elements", "source", "mm"),
    [
        ({"EstimatedRadiographicMagnificationFactor": "1.25"}, "imager/magnification", 6.0),
        ({"PixelSpacing": [0.12, 0.12]}, "pixel", 6.0),  # calibrated: it differs from the detector's
        ({"PixelSpacing": [0.15, 0.15]}, "imager", 7.5),  # the detector's, repeated
        ({"PixelSpacing": [0.12, 0.12], "EstimatedRadiographicMagnificationFactor": "1.25"}, "pixel", 6.0),
        ({"EstimatedRadiographicMagnificationFactor": "0"}, "imager", 7.5),
    ],
)
def test_the_spacing_of_a_radiograph(tmp_path: Path, elements: dict[str, Any], source: str, mm: float) -> None:
    path = derive(tmp_path / "x.dcm", "RG3_J2KI.dcm", ImagerPixelSpacing=[0.15, 0.15], **elements)
    spacing = spacing_for(frame_of(path))
    assert spacing.source == source
    assert length((0, 0), (30, 40), spacing) == pytest.approx(mm)


def test_ultrasound_uses_the_region_that_contains_both_ends() -> None:
    frame = frame_of(sample("OBXXXX1A.dcm"))  # tissue in columns 120-800, rows 60-518; a trace below
    spacing = spacing_for(frame, [(200, 100), (300, 100)])
    assert (spacing.unit, spacing.source) == ("mm", "region")
    assert length((200, 100), (300, 100), spacing) == pytest.approx(100 * 0.02622878766196998 * 10)


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([(10.0, 10.0), (50.0, 10.0)], "no calibrated ultrasound region"),
        ([(200.0, 540.0), (300.0, 540.0)], "no calibrated ultrasound region"),  # the trace counts seconds
        ([(200.0, 100.0), (200.0, 540.0)], "more than one ultrasound region"),
    ],
)
def test_ultrasound_outside_a_single_tissue_region_has_no_millimetres(
    points: list[tuple[float, float]], why: str
) -> None:
    spacing = spacing_for(frame_of(sample("OBXXXX1A.dcm")), points)
    assert (spacing.in_mm, spacing.description) == (False, why)


def test_between_two_ultrasound_images_side_by_side_there_are_no_millimetres() -> None:
    frame = frame_of(sample("gdcm-US-ALOKA-16.dcm"))
    assert spacing_for(frame, [(100, 200), (200, 200)]).source == "region"
    assert spacing_for(frame, [(400, 200), (500, 200)]).source == "region"
    assert not spacing_for(frame, [(300, 200), (400, 200)]).in_mm
    assert not spacing_for(frame, [(40, 60), (60, 60)]).in_mm  # the color bar lies over the image


def test_of_overlapping_regions_the_low_priority_one_is_not_used(tmp_path: Path) -> None:
    def region(priority: int, delta: float) -> Dataset:
        made = Dataset()
        for keyword, value in (("MinX0", 0), ("MinY0", 0), ("MaxX1", 100), ("MaxY1", 100)):
            setattr(made, f"RegionLocation{keyword}", value)
        made.RegionFlags, made.PhysicalDeltaX, made.PhysicalDeltaY = priority, delta, -delta
        made.PhysicalUnitsXDirection = made.PhysicalUnitsYDirection = 3
        return made

    path = derive(tmp_path / "x.dcm", "US1_UNCI.dcm", SequenceOfUltrasoundRegions=[region(1, 0.1), region(0, 0.02)])
    assert spacing_for(frame_of(path), [(5, 5)]).column == pytest.approx(0.2)


def test_pixel_aspect_ratio_gives_the_pixel_shape_but_no_millimetres() -> None:
    assert list(dataset("color-pl.dcm").PixelAspectRatio) == [4, 3]
    frame = frame_of(sample("color-pl.dcm"))
    spacing = spacing_for(frame)
    assert not spacing.in_mm
    assert pixel_shape(frame) == (4, 3)
    assert length((0, 0), (0, 3), spacing) == pytest.approx(4)  # 3 rows are as long as 4 columns
