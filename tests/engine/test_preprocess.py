"""The input of the image tower: the whole image with its aspect ratio, centered on black."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UserError
from engine.preprocess import batch, to_square


def test_a_square_image_of_the_right_size_is_unchanged() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    assert np.array_equal(to_square(picture, 32), picture)


def test_a_wide_image_keeps_its_aspect_ratio_between_black_bands() -> None:
    square = to_square(np.full((10, 40), 200, np.uint8), 20)
    expected = np.zeros((20, 20), np.uint8)
    expected[7:12] = 200  # 10 / 40 * 20 = 5 rows, centred
    assert np.array_equal(square, expected)


def test_scaling_down_averages_instead_of_dropping_pixels() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    inner = to_square(stripes, 16)[2:-2, 2:-2]
    assert np.all(np.abs(inner.astype(int) - 127) <= 8)


def test_the_image_is_not_flipped_or_rotated() -> None:
    picture = np.zeros((40, 40), np.uint8)
    picture[:10, :10] = 255
    square = to_square(picture, 20)
    assert square[:4, :4].min() > 200
    assert square[:4, -4:].max() == square[-4:, :4].max() == square[-4:, -4:].max() == 0


@given(height=st.integers(1, 90), width=st.integers(1, 90), size=st.integers(1, 40))
def test_any_shape_becomes_a_square_of_the_given_size(height: int, width: int, size: int) -> None:
    assert to_square(np.zeros((height, width), np.uint8), size).shape == (size, size)


@pytest.mark.parametrize(
    "picture",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4), np.uint8)],
    ids=["float", "colour", "empty"],
)
def test_other_arrays_than_8_bit_grayscale_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(UserError, match="must be an 8-bit grayscale array"):
        to_square(picture, 8)


def test_images_of_different_sizes_share_one_batch() -> None:
    assert batch([np.zeros((3, 9), np.uint8), np.zeros((50, 7), np.uint8)], 8).shape == (2, 8, 8)
    assert batch([], 8).shape == (0, 8, 8)
