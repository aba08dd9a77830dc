"""Numbers that differ in their last digits are equal: by their difference, not by rounding each."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.uid import generate_uid

from desktop.state.studies.merging import merge
from engine.dicom.listing import open_path
from engine.geometry.spacing import common_spacing
from engine.image.volume import why_no_volume
from engine.study import Series, UltrasoundRegion
from tests.engine.dicom_samples import derive

UID = generate_uid()
AXIAL = [1, 0, 0, 0, 1, 0]


def alternating(folder: Path, values: list[dict[str, Any]], count: int = 6) -> tuple[Series, ...]:
    """The stacks of one series whose slices have these elements by turns."""
    for index in range(count):
        common: dict[str, Any] = {
            "SeriesInstanceUID": UID,
            "InstanceNumber": index + 1,
            "ImageOrientationPatient": AXIAL,
        }
        place = {"ImagePositionPatient": [0, 0, 2.0 * index]}
        derive(folder / f"{index}", "CT_small.dcm", **(common | place | values[index % len(values)]))
    (study,) = open_path(folder).studies
    return study.series


@pytest.mark.parametrize(
    "values",
    [
        [{"ImageOrientationPatient": ["1", s, "0", f"-{s}", "1", "0"]} for s in ("0.0004999", "0.0005001")],
        [
            {"ImageOrientationPatient": ["0.99949", "-0.03193", "0", "0.03193", "0.99949", "0"]},
            {"ImageOrientationPatient": ["0.999505", "-0.03146", "0", "0.03146", "0.999505", "0"]},
        ],
        [{"ImageOrientationPatient": ["1", "-0.0", "0", "0", "1", "1e-9"]}, {"ImageOrientationPatient": AXIAL}],
        [{"PixelSpacing": [s, s]} for s in ("0.48825", "0.488249")],
        [{"PixelSpacing": [s, s]} for s in ("0.48828", "0.488", "0.4882813")],
        [{"DiffusionBValue": b} for b in (1000.0, 1000.0001)],
    ],
)
def test_last_digits_do_not_part_a_stack(tmp_path: Path, values: list[dict[str, Any]]) -> None:
    (series,) = alternating(tmp_path, values)
    assert len(series.frames) == 6
    assert why_no_volume(series.frames) == ""


@pytest.mark.parametrize(
    "values",
    [
        [{"ImageOrientationPatient": ["1", "0", "0", "0", c, s]} for c, s in (("1", "0"), ("0.99985", "0.01745"))],
        [{"PixelSpacing": [s, s]} for s in ("0.70", "0.71")],
        [{"PixelSpacing": ["0.7", s]} for s in ("0.70", "0.71")],
        [{"DiffusionBValue": b} for b in (1000.0, 1010.0)],
    ],
)
def test_what_really_differs_is_parted(tmp_path: Path, values: list[dict[str, Any]]) -> None:
    assert [len(series.frames) for series in alternating(tmp_path, values)] == [3, 3]


def test_slices_opened_one_by_one_join_the_same_stack(tmp_path: Path) -> None:
    for index, sine in enumerate(("0.0004999", "0.0005001")):
        changes = {"ImageOrientationPatient": ["1", sine, "0", f"-{sine}", "1", "0"], "SeriesInstanceUID": UID}
        derive(tmp_path / f"{index}", "CT_small.dcm", ImagePositionPatient=[0, 0, index], **changes)
    (study,) = merge(open_path(tmp_path / "0").studies, open_path(tmp_path / "1").studies)
    assert [len(series.frames) for series in study.series] == [2]


def test_frames_at_nearly_one_position_keep_their_numbers(tmp_path: Path) -> None:
    for index in range(6):
        z = 10.0 * (index % 3) + (0.0004, 0.0006)[index // 3]
        changes = {
            "SeriesInstanceUID": UID,
            "ImagePositionPatient": [0, 0, z],
            "InstanceNumber": (3, 4, 5, 2, 1, 6)[index],
        }
        derive(tmp_path / f"{index}", "CT_small.dcm", **changes)
    (study,) = open_path(tmp_path).studies
    assert [frame.image.instance_number for frame in study.series[0].frames] == [2, 3, 1, 4, 5, 6]


def test_a_spacing_that_equals_the_detectors_but_for_rounding_is_not_calibrated(tmp_path: Path) -> None:
    spacings = {"PixelSpacing": ["0.143", "0.143"], "ImagerPixelSpacing": ["0.1430001", "0.1430001"]}
    derive(tmp_path / "a", "CT_small.dcm", Modality="DX", **spacings)
    (frame,) = next(iter(open_path(tmp_path).studies)).frames()
    assert frame.spacing_source == "imager"


def test_ultrasound_regions_that_agree_but_for_rounding_have_one_spacing() -> None:
    regions = [UltrasoundRegion(0, 0, 9, 9, 0.2, 0.2), UltrasoundRegion(10, 0, 19, 9, 0.2000001, 0.2)]
    assert common_spacing(regions) == (0.2, 0.2)
    assert common_spacing([*regions, UltrasoundRegion(20, 0, 29, 9, 0.3, 0.3)]) is None
    assert common_spacing([*regions, UltrasoundRegion(20, 0, 29, 9, None, None)]) == (0.2, 0.2)
