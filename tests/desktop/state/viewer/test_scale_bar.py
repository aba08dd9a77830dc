"""The scale bar: length matches its label, fits the free space, and is absent without known millimetres."""

import pytest

from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.scale_bar import SHARE, scale_bar
from engine.geometry.spacing import PixelSpacing

HALF_MM = PixelSpacing(0.5, 0.25, "mm")


@pytest.mark.parametrize(
    ("view", "pixels_per_mm"),
    [(View(600, 400, scale=2.0), 4.0), (View(600, 400, scale=2.0, quarter_turns=1), 8.0)],
    ids=["upright", "turned"],
)
def test_the_length_matches_the_label_along_the_direction_now_down(view: View, pixels_per_mm: float) -> None:
    length, words = scale_bar(view, Shape(100, 100), HALF_MM) or (0.0, "")
    assert words in ("1 cm", "2 cm")
    assert length == pytest.approx(float(words[0]) * 10 * pixels_per_mm)
    assert length <= 400 * SHARE


def test_the_longest_round_length_that_fits_is_chosen() -> None:
    view = View(600, 400, scale=2.0)
    assert scale_bar(view, Shape(100, 100), HALF_MM, max_length=79.0) == (40.0, "1 cm")
    assert scale_bar(view, Shape(100, 100), HALF_MM, max_length=25.0) == (20.0, "5 mm")
    assert scale_bar(view, Shape(100, 100), HALF_MM, max_length=-3.0) is None


def test_there_is_no_scale_bar_without_known_millimetres() -> None:
    assert scale_bar(View(600, 400), Shape(100, 100), PixelSpacing()) is None
