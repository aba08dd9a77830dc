"""The formulas of PS3.3 C.11.2.1.2 and C.11.2.1.3, against plain implementations of their text."""

import math

import numpy as np
import pytest

from engine.errors import UserError
from engine.image.voi import VoiLut, Window, apply_lut, apply_window


def level(x: float, window: Window) -> float:
    """The pseudo-code of the standard, word for word, for output 0..255."""
    c, w = window.center, window.width
    if window.function == "LINEAR":
        if x <= c - 0.5 - (w - 1) / 2:
            return 0
        if x > c - 0.5 + (w - 1) / 2:
            return 255
        return ((x - (c - 0.5)) / (w - 1) + 0.5) * 255
    if window.function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0
        if x > c + w / 2:
            return 255
        return ((x - c) / w + 0.5) * 255
    return 255 / (1 + math.exp(min(700.0, -4 * (x - c) / w)))


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(
    ("center", "width"), [(40, 400), (40, 80), (-600, 1500), (32, 8), (2048, 4096), (100, 1), (127.5, 255), (0.5, 2)]
)
def test_every_gray_level_is_the_standards_rounded(function: str, center: float, width: float) -> None:
    window = Window(center, width, function)
    values = np.arange(-2000, 4000, dtype=np.float32).reshape(60, 100)
    expected = np.array([level(float(x), window) for x in values.ravel()]).reshape(values.shape)
    shown = apply_window(values, window)
    assert shown.dtype == np.uint8
    assert np.abs(shown - expected).max() <= 0.5 + 1e-3


def test_a_width_of_one_is_a_threshold() -> None:
    values = np.array([[98, 99, 99.5, 100, 101]], np.float32)
    assert apply_window(values, Window(100, 1)).tolist() == [[0, 0, 0, 255, 255]]


def test_a_linear_window_narrower_than_one_is_taken_as_exact() -> None:
    values = np.linspace(0, 1, 11, dtype=np.float32)[None]
    assert np.array_equal(
        apply_window(values, Window(0.5, 0.5)), apply_window(values, Window(0.5, 0.5, "LINEAR_EXACT"))
    )


@pytest.mark.parametrize(("center", "width"), [(0, 0), (0, -5), (float("nan"), 5), (0, float("inf"))])
def test_an_invalid_window_is_a_user_error(center: float, width: float) -> None:
    with pytest.raises(UserError, match="width above 0"):
        apply_window(np.zeros((2, 2), np.float32), Window(center, width))


def test_extreme_values_and_widths_neither_overflow_nor_warn() -> None:
    values = np.array([[-3e38, -1, 0, 1, 3e38]], np.float32)
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        for width in (1e-6, 1, 1e6, 1e30):
            shown = apply_window(values, Window(0, width, function))
            assert (shown[0, 0], shown[0, -1]) == (0, 255)


def test_a_voi_lut_clamps_at_its_ends_and_scales_to_eight_bits() -> None:
    lut = VoiLut(first=10, entries=np.array([0, 1023, 4095], np.uint16), bits=12)
    values = np.array([[-5, 10, 11, 12, 99]], np.float32)
    assert apply_lut(values, lut).tolist() == [[0, 0, 64, 255, 255]]
