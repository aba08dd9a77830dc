"""The values of a listing: studies, series, images and frames."""

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from pydicom import Dataset

from engine.dicom.header import age_in_years
from engine.dicom.listing import open_path
from tests.engine.dicom_samples import dataset, derive, sample


def test_a_study_as_json_leaves_the_patients_name_out_by_default() -> None:
    (study,) = open_path(sample("CT_small.dcm")).studies
    assert study.patient.name == "CompressedSamples^CT1"
    hidden, shown = json.dumps(study.as_dict()), json.dumps(study.as_dict(with_patient=True))
    assert "CompressedSamples" not in hidden
    assert "CompressedSamples^CT1" in shown


def test_a_listed_ct_has_the_attributes_of_its_header() -> None:
    (study,) = open_path(sample("CT_small.dcm")).studies
    (series,) = study.series
    (frame,) = series.frames
    assert (study.uid, study.date) == ("1.3.6.1.4.1.5962.1.2.1.20040119072730.12322", "20040119")
    assert (series.modality, series.uid) == ("CT", "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322")
    assert (frame.image.rows, frame.image.columns, frame.image.frames) == (128, 128, 1)
    assert frame.position == pytest.approx((-158.135803, -179.035797, -75.699997))
    assert frame.spacing == pytest.approx((0.661468, 0.661468))
    assert frame.spacing_source == "pixel"
    assert frame.thickness == 5.0
    assert series.institution == "JFK IMAGING CENTER"


def test_references_are_immutable() -> None:
    (study,) = open_path(sample("CT_small.dcm")).studies
    with pytest.raises(FrozenInstanceError):
        study.uid = "1.2.3"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("age", "birth", "study", "years"),
    [
        ("045Y", "", "", 45),
        ("018M", "", "", 1),
        ("024M", "", "", 2),
        ("051W", "", "", 0),
        ("400D", "", "", 1),
        ("", "19600615", "20200614", 59),
        ("", "19600615", "20200615", 60),
        ("", "20300101", "20200615", None),
        ("old", "", "20200615", None),
        ("", "1960", "20200615", None),
    ],
)
def test_age_is_in_full_years(age: str, birth: str, study: str, years: int | None) -> None:
    assert age_in_years(age, birth, study) == years


def test_spacing_at_the_detector_is_distinguished_from_spacing_in_the_patient(tmp_path: Path) -> None:
    def spacing(**changes: object) -> tuple[tuple[float, float] | None, str]:
        path = derive(tmp_path / "x.dcm", "RG3_UNCI.dcm", **changes)
        frame = next(open_path(path).studies[0].frames())
        return frame.spacing, frame.spacing_source

    assert spacing() == (None, "")
    assert spacing(ImagerPixelSpacing=[0.2, 0.2]) == ((0.2, 0.2), "imager")
    assert spacing(ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.2, 0.2]) == ((0.2, 0.2), "imager")
    assert spacing(ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.1, 0.1]) == ((0.1, 0.1), "pixel")
    magnified = spacing(ImagerPixelSpacing=[0.3, 0.3], EstimatedRadiographicMagnificationFactor=1.5)
    assert magnified == (pytest.approx((0.2, 0.2)), "imager/magnification")
    assert spacing(PixelSpacing=[0, 0]) == (None, "")
    assert spacing(PixelSpacing=[0.1, 0.1]) == ((0.1, 0.1), "pixel/unstated")
    assert spacing(PixelSpacing=[0.1, 0.1], PixelSpacingCalibrationType="GEOMETRY") == ((0.1, 0.1), "pixel")
    assert spacing(PixelSpacing=[0.1, 0.1], Modality="CT") == ((0.1, 0.1), "pixel")


def test_an_enhanced_image_has_its_slice_thickness_in_a_functional_group(tmp_path: Path) -> None:
    def thickness(value: float) -> float | None:
        measures = Dataset()
        measures.SliceThickness = value
        groups = Dataset()
        groups.PixelMeasuresSequence = [measures]
        path = derive(tmp_path / "x.dcm", "CT_small.dcm", SharedFunctionalGroupsSequence=[groups])
        return next(open_path(path).studies[0].frames()).thickness

    assert thickness(2.5) == 2.5  # not the 5 mm of the top level
    assert thickness(0) is None


def test_ultrasound_takes_its_spacing_from_the_calibrated_region() -> None:
    frame = next(open_path(sample("OBXXXX1A.dcm")).studies[0].frames())
    region = dataset("OBXXXX1A.dcm").SequenceOfUltrasoundRegions[0]
    assert frame.spacing_source == "region"
    assert frame.spacing == pytest.approx((region.PhysicalDeltaY * 10, region.PhysicalDeltaX * 10))


@pytest.mark.parametrize("name", ["examples_palette.dcm", "examples_ybr_color.dcm"])
def test_ultrasound_cropped_or_scaled_after_its_calibration_has_no_spacing(name: str) -> None:
    image = next(open_path(sample(name)).studies[0].frames())
    assert any(region.RegionLocationMaxY1 > image.image.rows for region in dataset(name).SequenceOfUltrasoundRegions)
    assert (image.spacing, image.image.regions) == (None, ())
