"""Overlay text about lossy compression, burned-in text and laterality."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from engine.dicom.listing import open_path
from engine.image.marks import burned_in_mark, laterality_mark, lossy_mark
from engine.study import ImageRef, Series
from tests.engine.dicom_samples import derive, sample


def only(path: Path) -> tuple[Series, ImageRef]:
    (series,) = open_path(path).studies[0].series
    return series, series.frames[0].image


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("RG3_J2KI.dcm", "Lossy compression"),
        ("RG3_UNCI.dcm", "Lossy compression"),  # uncompressed again, but what was lost stays lost
        ("RG3_UNCR.dcm", ""),
        ("CT_small.dcm", ""),
        ("SC_rgb_jpeg_gdcm.dcm", ""),  # JPEG lossless
        ("JPEGLSNearLossless_16.dcm", "Possibly lossy compression"),  # the header does not say
        ("SC_rgb_jpeg_dcmtk.dcm", "Lossy compression"),
    ],
)
def test_lossy_compression_is_recognized_by_header_or_transfer_syntax(name: str, mark: str) -> None:
    assert lossy_mark(only(sample(name))[1]) == mark


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("US1_UNCI.dcm", "Burned-in text possible"),
        ("JPGLosslessP14SV1_1s_1f_8b.dcm", ""),  # ultrasound that says NO
        ("SC_rgb.dcm", "Burned-in text possible"),
        ("CT_small.dcm", ""),
    ],
)
def test_burned_in_text_is_possible_for_some_modalities_without_the_attribute(name: str, mark: str) -> None:
    series, image = only(sample(name))
    assert burned_in_mark(image, series.modality) == mark


def test_burned_in_text_is_marked_when_the_header_says_so(tmp_path: Path) -> None:
    _, image = only(derive(tmp_path / "x.dcm", "CT_small.dcm", BurnedInAnnotation="YES"))
    assert burned_in_mark(image, "CT") == "Burned-in text"


def test_laterality_is_taken_from_the_header() -> None:
    assert laterality_mark(only(sample("RG3_UNCR.dcm"))[1]) == "Right · AP"  # with the view position beside it
    assert laterality_mark(only(sample("RG1_UNCR.dcm"))[1]) == "PA"
    assert laterality_mark(only(sample("CT_small.dcm"))[1]) == ""


def test_laterality_of_an_enhanced_image_is_that_of_its_frames(tmp_path: Path) -> None:
    anatomy, shared = Dataset(), Dataset()
    anatomy.FrameLaterality = "L"
    shared.FrameAnatomySequence = [anatomy]
    path = derive(tmp_path / "image.dcm", "CT_small.dcm", SharedFunctionalGroupsSequence=[shared])
    assert laterality_mark(only(path)[1]) == "Left"
