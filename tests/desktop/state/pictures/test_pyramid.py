"""Image pyramid: halving, which frames allow it, and that the rendering does not depend on it."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.pictures.picture import PictureRequest, ScreenPicture, make_picture
from desktop.state.pictures.pyramid import halve, halved, halvings, pyramid
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.listing import open_path
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import render
from engine.study import FrameRef, Series, Study
from tests.desktop.conftest import dicom

LARGE = "693_UNCR.dcm"
"""CT, 512 x 512, signed 16 bit, padded with -2000 around its circle."""


def study_of(name: str) -> tuple[Study, Series]:
    study = open_path(dicom(name)).studies[0]
    return study, study.series[0]


def pixels_of(name: str) -> Pixels:
    return read_frame(study_of(name)[1].frames[0])


def means(values: np.ndarray) -> np.ndarray:
    """float64 [H // 2, W // 2], pixel by pixel."""
    made = np.empty((values.shape[0] // 2, values.shape[1] // 2))
    for row, column in np.ndindex(made.shape):
        made[row, column] = values[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean()
    return made


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2"])
def test_halving_takes_the_rounded_mean_of_each_square(kind: str) -> None:
    limits = np.iinfo(kind)
    image = np.random.default_rng(1).integers(limits.min, limits.max, (7, 9), kind, endpoint=True)
    assert halve(image).dtype == image.dtype
    np.testing.assert_array_equal(halve(image), np.floor(means(image) + 0.5))


def test_halving_works_on_each_colour_and_on_more_than_one_block() -> None:
    image = np.random.default_rng(2).integers(0, 256, (600, 500, 3), np.uint8)
    for colour in range(3):
        np.testing.assert_array_equal(halve(image)[..., colour], np.floor(means(image[..., colour]) + 0.5))


def test_a_pyramid_keeps_the_full_picture_first_and_ends_above_the_smallest_side() -> None:
    levels = pyramid(np.zeros((1000, 700, 3), np.uint8), smallest=200)
    assert [level.shape for level in levels] == [(1000, 700, 3), (500, 350, 3), (250, 175, 3)]


@pytest.mark.parametrize(
    ("size", "needed", "times"),
    [
        ((3000, 2500), (960, 800), 1),
        ((3000, 2500), (750, 625), 2),
        ((3000, 2500), (751, 625), 1),
        ((3000, 2500), (1501, 1251), 0),
        ((512, 512), (10, 10), 1),
        ((511, 511), (10, 10), 0),
        ((0, 0), (0, 0), 0),
    ],
)
def test_no_pixel_of_the_screen_is_left_without_one_of_the_picture(
    size: tuple[int, int], needed: tuple[float, float], times: int
) -> None:
    assert halvings(size, needed) == times


def test_a_square_with_padding_in_it_is_black_and_no_other_is() -> None:
    pixels = pixels_of(LARGE)
    small, made = halved(pixels, 1)
    padded = means(pixels.padding.astype(float)) > 0 if pixels.padding is not None else np.zeros((256, 256), bool)
    assert made == 1
    assert padded.any()
    assert small.padding is not None
    np.testing.assert_array_equal(small.padding, padded)
    window = Window(-600, 4000)  # bright wherever there is image at all
    np.testing.assert_array_equal(render(small, window) == 0, padded)


def test_inside_its_window_a_halved_picture_looks_as_the_full_one_halved() -> None:
    pixels = pixels_of(LARGE)
    window = Window(0, 8192, "LINEAR_EXACT")
    small, _ = halved(pixels, 1)
    whole = small.padding if small.padding is not None else np.zeros(small.stored.shape, bool)
    apart = render(small, window).astype(int) - halve(render(pixels, window))
    assert np.abs(apart[~whole]).max() <= 1


@pytest.mark.parametrize("name", ["examples_ybr_color.dcm", "examples_palette.dcm", "mlut_18.dcm", "vlut_04.dcm"])
def test_colours_and_lookup_tables_are_windowed_at_full_size(name: str) -> None:
    pixels = pixels_of(name)
    assert halved(pixels, 1) == (pixels, 0)


def shown(state: ViewportState) -> ScreenPicture:
    assert state.picture is not None
    return state.picture


def opened(qtbot: QtBot, background: Background, side: float) -> ViewportState:
    state = ViewportState(background)
    state.resize(side, side, 1.0)
    state.show(*study_of(LARGE))
    qtbot.waitUntil(background.idle)
    return state


def test_a_small_view_is_windowed_small_and_searched_at_full_size(qtbot: QtBot, background: Background) -> None:
    picture = shown(opened(qtbot, background, 200))
    assert picture.levels[0].shape == (256, 256)
    assert picture.shape == picture.image().shape == (512, 512)


def test_zooming_in_brings_every_pixel_at_the_same_window(qtbot: QtBot, background: Background) -> None:
    state = opened(qtbot, background, 200)
    before = shown(state)
    state.actual_pixels()
    qtbot.waitUntil(background.idle)
    assert shown(state).window == before.window
    np.testing.assert_array_equal(shown(state).levels[0], render(before.pixels, before.window))


def test_a_larger_viewport_or_a_finer_screen_brings_every_pixel(qtbot: QtBot, background: Background) -> None:
    for side, ratio in ((400, 1.0), (200, 2.0)):
        state = opened(qtbot, background, 200)
        state.resize(side, side, ratio)
        qtbot.waitUntil(background.idle)
        assert shown(state).levels[0].shape == (512, 512)


def test_a_zoom_while_a_picture_is_made_brings_every_pixel(qtbot: QtBot, background: Background) -> None:
    gate = threading.Event()

    def read(ref: FrameRef) -> Pixels:
        assert gate.wait(10)
        return read_frame(ref)

    state = ViewportState(background, read=read)
    state.resize(200, 200, 1.0)
    state.show(*study_of(LARGE))
    state.actual_pixels()
    gate.set()
    qtbot.waitUntil(background.idle)
    assert shown(state).levels[0].shape == (512, 512)


def test_a_window_drag_halves_once(qtbot: QtBot, background: Background) -> None:
    state = opened(qtbot, background, 200)
    before = shown(state)
    state.drag_window(30, 10)
    qtbot.waitUntil(background.idle)
    assert shown(state).window != before.window
    assert shown(state).halved is before.halved


def test_the_default_window_comes_from_the_whole_frame() -> None:
    """Else a zoom would change the brightness."""
    series = study_of(LARGE)[1]
    bare = replace(read_frame(series.frames[0]), windows=())
    small, full = (make_picture(PictureRequest(series, 0, None, False, bare, times)) for times in (1, 0))
    assert small.halvings == 1
    assert small.window == full.window
