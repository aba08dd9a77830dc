"""Burned-in text is blacked out of real pictures; side markers and pictures without text stay as they are."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from engine.errors import UserError
from engine.image.picture import load_picture
from engine.models.burned_in import without_text
from engine.models.text_detector import FILE, TextDetector, text_detector
from engine.resources import resource_path
from tests.engine.dicom_samples import sample

Gray = NDArray[np.uint8]
CT, CHEST, KNEE, ULTRASOUND = "ROCO_18760", "ROCO_31267", "ROCO_45975", "breast_breast_case065"
PLAIN = (CT, CHEST, KNEE, ULTRASOUND, "ROCO_36940", "ROCO_10944")


def picture(name: str, longest: int | None = None) -> Gray:
    """A picture of the sample archive, enlarged if asked for."""
    with Image.open(resource_path("sample-archive", "images", f"{name}.jpg")) as image:
        gray = image.convert("L")
    if longest is not None:
        gray = gray.resize((longest * gray.width // max(gray.size), longest * gray.height // max(gray.size)))
    return np.array(gray)


def written(gray: Gray, text: str, at: tuple[int, int], size: int = 17, level: int = 255) -> tuple[Gray, Gray]:
    """A picture with a text at (x, y), and the ink of the text alone; capitals have 0.7 of the size."""
    image, ink = Image.fromarray(gray), Image.new("L", gray.shape[::-1])
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).text(at, text, font=font, fill=level, stroke_width=1, stroke_fill=0)
    ImageDraw.Draw(ink).text(at, text, font=font, fill=255)
    return np.array(image), np.array(ink) > 100


def left(cleaned: Gray, ink: Gray) -> float:
    """The share of the ink that is not black."""
    return float((cleaned[ink] != 0).mean())


@pytest.mark.parametrize("name", PLAIN)
def test_the_boxes_do_not_depend_on_the_number_of_threads(name: str) -> None:
    burned, _ = written(picture(name), "MUELLER^ANNA", (20, 12))
    one, two = (TextDetector(resource_path(*FILE), threads).boxes(burned) for threads in (1, 2))
    assert len(one) > 0
    assert one == two


@pytest.mark.parametrize("name", PLAIN)
def test_a_picture_without_text_stays_as_it_is(name: str) -> None:
    gray = picture(name)
    cleaned, boxes = without_text(gray, text_detector())
    assert boxes == 0
    assert cleaned is gray


@pytest.mark.parametrize("name", [CT, CHEST, KNEE, ULTRASOUND])
@pytest.mark.parametrize("text", ["MUELLER^ANNA", "Smith, J", "12.03.1956"])
@pytest.mark.parametrize("level", [255, 190])
def test_a_name_or_date_is_blacked_out_and_the_rest_stays(name: str, text: str, level: int) -> None:
    gray = picture(name)
    burned, ink = written(gray, text, (20, 12), level=level)
    cleaned, boxes = without_text(burned, text_detector())
    assert boxes >= 1
    assert left(cleaned, ink) == 0
    rows = slice(60, None)
    np.testing.assert_array_equal(cleaned[rows], gray[rows])


def test_text_over_tissue_is_blacked_out_too() -> None:
    burned, ink = written(picture(CHEST), "GARCIA Maria", (60, 200))
    assert left(without_text(burned, text_detector())[0], ink) == 0


@pytest.mark.parametrize("letter", "RL")
@pytest.mark.parametrize("name", [CT, CHEST, KNEE])
def test_a_side_marker_stays(letter: str, name: str) -> None:
    burned, _ = written(picture(name), letter, (30, 20), 22)
    cleaned, boxes = without_text(burned, text_detector())
    assert boxes == 0
    assert cleaned is burned


def test_a_letter_beside_a_name_goes_with_it() -> None:
    burned, ink = written(picture(CT), "J  MARTINEZ", (20, 12))
    assert left(without_text(burned, text_detector())[0], ink) == 0


def test_text_that_is_small_in_a_large_picture_is_found_before_the_picture_is_reduced() -> None:
    burned, ink = written(picture(KNEE, 1400), "TANAKA YUKI 1956", (60, 40), 24)
    assert left(without_text(burned, text_detector())[0], ink) == 0


def test_hospital_date_and_settings_of_a_real_ultrasound_are_blacked_out_and_its_image_stays() -> None:
    gray = load_picture(sample("gdcm-US-ALOKA-16.dcm")).gray
    cleaned, boxes = without_text(gray, text_detector())
    assert boxes >= 15
    for hospital_date_or_settings in (np.s_[0:24, 80:248], np.s_[0:24, 545:640], np.s_[425:452, 20:600]):
        assert (gray[hospital_date_or_settings] > 150).mean() > 0.04
        assert (cleaned[hospital_date_or_settings] > 150).mean() < 0.002
    image = np.s_[70:380, 30:640]
    assert (cleaned[image] == gray[image]).mean() > 0.97


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2000, 3), (33, 31)])
def test_a_picture_of_any_shape_can_be_looked_at(shape: tuple[int, int]) -> None:
    gray = np.full(shape, 90, np.uint8)
    assert without_text(gray, text_detector()) == (gray, 0)


def test_a_missing_or_damaged_detector_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read; install Kindred again"):
        TextDetector(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(resource_path(*FILE).read_bytes()[:-1] + b"\0")
    with pytest.raises(UserError, match="is damaged; install Kindred again"):
        TextDetector(damaged)
