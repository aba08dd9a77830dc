"""Copies of an image are the same picture, other images are not."""

import io

import numpy as np
import pytest
from PIL import Image

from engine.image.picture import load_picture
from engine.retrieval.same_picture import same_picture
from tests.engine.dicom_samples import sample

FILES = ["MR2_UNCI.dcm", "CT_small.dcm", "RG1_UNCI.dcm"]


@pytest.mark.parametrize("name", FILES)
def test_a_compressed_smaller_or_otherwise_windowed_copy_is_the_same(name: str) -> None:
    gray = load_picture(sample(name)).gray
    file = io.BytesIO()
    Image.fromarray(gray).save(file, "JPEG", quality=30)
    smaller = Image.fromarray(gray).resize((gray.shape[1] * 2 // 3, gray.shape[0] * 2 // 3))
    narrower = np.clip(1.15 * (gray.astype(float) - 128) + 128, 0, 255).astype(np.uint8)
    for copy in (gray, np.asarray(Image.open(file)), np.asarray(smaller), narrower):
        assert same_picture(gray, copy)


def test_other_images_flips_and_other_shapes_are_not_the_same() -> None:
    pictures = [load_picture(sample(name)).gray for name in FILES]
    gray = pictures[0]
    for other in (*pictures[1:], gray[:, ::-1], 255 - gray, gray[: gray.shape[0] * 2 // 3]):
        assert not same_picture(gray, np.ascontiguousarray(other))


def test_uniform_images_are_never_the_same() -> None:
    assert not same_picture(np.zeros((9, 9), np.uint8), np.zeros((9, 9), np.uint8))
