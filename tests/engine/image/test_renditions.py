"""Drafts do not depend on the displayed window."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.image.picture import load_picture
from engine.image.renditions import picture_renditions, renditions_of
from tests.desktop.conftest import dicom


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm"])
def test_the_renditions_of_a_dicom_frame_are_the_same_at_every_window(name: str) -> None:
    shown = [load_picture(dicom(name), window=window) for window in ((40.0, 400.0), (-600.0, 1500.0), (900.0, 50.0))]
    first, *others = [renditions_of(picture) for picture in shown]
    assert len(first) > 1
    for other in others:
        assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_ct_of_an_unknown_part_is_shown_at_four_presets_and_a_known_part_at_its_own() -> None:
    picture = load_picture(dicom("CT_small.dcm"))
    assert len(renditions_of(picture)) == (1 if picture.body_part else 4)


def test_contrast_and_brightness_do_not_change_the_renditions_of_a_picture(tmp_path: Path) -> None:
    gray = np.random.default_rng(0).integers(60, 160, (40, 40), np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.png")
    Image.fromarray(gray + 60).save(tmp_path / "b.png")
    one, other = (renditions_of(load_picture(tmp_path / name)) for name in ("a.png", "b.png"))
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(one, other, strict=True))


def test_blank_and_empty_pictures_are_kept_as_they_are() -> None:
    for gray in (np.full((4, 4), 7, np.uint8), np.zeros((0, 5), np.uint8)):
        assert picture_renditions(gray)[0] is gray
