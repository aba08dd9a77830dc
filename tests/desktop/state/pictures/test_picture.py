"""Pictures for the screen: window, inversion, colour, the cache, and the geometry of a view."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import PictureRequest, crop, make_picture, middle_frame, thumbnail
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.dicom.listing import open_path
from engine.image.pixels import read_frame
from engine.image.voi import Window
from engine.image.window import render
from engine.study import Point, Series
from tests.desktop.conftest import dicom


def series_of(name: str) -> Series:
    return open_path(dicom(name)).studies[0].series[0]


def test_a_picture_is_rendered_at_the_wanted_window() -> None:
    series = series_of("CT_small.dcm")
    window = Window(1000, 500)
    picture = make_picture(PictureRequest(series, 0, window, False, None))
    assert picture.window == window
    np.testing.assert_array_equal(picture.image(), render(read_frame(series.frames[0]), window))


def test_inverting_changes_the_screen_but_not_the_search() -> None:
    series = series_of("CT_small.dcm")
    plain = make_picture(PictureRequest(series, 0, None, False, None))
    inverted = make_picture(PictureRequest(series, 0, None, True, plain.pixels))
    np.testing.assert_array_equal(inverted.image(), plain.image())
    np.testing.assert_array_equal(inverted.levels[0], 255 - plain.levels[0])


def test_a_colour_picture_has_no_window() -> None:
    picture = make_picture(PictureRequest(series_of("examples_ybr_color.dcm"), 0, Window(10, 10), False, None))
    assert picture.window is None
    assert picture.image().shape == (240, 320, 3)


def test_a_thumbnail_is_small() -> None:
    small, pixels = thumbnail(middle_frame(series_of("693_UNCR.dcm")))
    assert max(small.shape) == 256
    assert max(pixels.stored.shape) == 512


def test_the_cache_forgets_the_least_recently_used_frame_first() -> None:
    series = series_of("emri_small.dcm")
    first, second, third = series.frames[:3]
    pixels = read_frame(first)
    cache = FrameCache(2 * pixels.nbytes)
    cache.put(first, pixels)
    cache.put(second, pixels)
    assert cache.get(first) is pixels
    cache.put(third, pixels)
    assert second not in cache
    assert first in cache
    assert cache.size == cache.limit


def test_a_frame_larger_than_the_cache_is_not_kept() -> None:
    series = series_of("CT_small.dcm")
    cache = FrameCache(100)
    cache.put(series.frames[0], read_frame(series.frames[0]))
    assert cache.size == 0
    assert series.frames[0] not in cache


def test_fitting_shows_the_whole_picture_in_the_middle() -> None:
    assert geometry.rectangle(View(800, 400), Shape(200, 200)) == (200, 0, 400, 400)


def test_tall_pixels_make_a_tall_picture() -> None:
    assert Shape(100, 100, (2.0, 1.0)).extent() == (100, 200)
    assert Shape(100, 100, (1.0, 2.0)).extent() == (200, 100)


def test_actual_pixels_means_device_pixels() -> None:
    view = geometry.actual_pixels(View(800, 400, device_ratio=2))
    assert geometry.rectangle(view, Shape(200, 200))[2:] == (100, 100)


@given(st.floats(0.3, 3), st.floats(0, 800), st.floats(0, 600), st.floats(0.2, 5))
def test_zooming_keeps_what_lies_under_the_mouse(scale: float, x: float, y: float, factor: float) -> None:
    view, shape = View(800, 600, scale=scale, pan=(13, -7)), Shape(512, 400)
    zoomed = geometry.zoomed(view, shape, factor, (x, y))
    left, top, width, height = geometry.rectangle(view, shape)
    new_left, new_top, new_width, new_height = geometry.rectangle(zoomed, shape)
    assert (x - new_left) / new_width == pytest.approx((x - left) / width, abs=1e-6)
    assert (y - new_top) / new_height == pytest.approx((y - top) / height, abs=1e-6)


def test_zooming_in_never_shrinks_even_a_picture_of_a_few_pixels() -> None:
    view, shape = View(900, 800), Shape(10, 10)
    fit = geometry.fit_scale(view, shape)
    assert fit > geometry.MAX_SCALE
    closer = geometry.zoomed(view, shape, 1.25)
    assert closer.scale == pytest.approx(1.25 * fit)
    for _ in range(20):
        closer = geometry.zoomed(closer, shape, 1.25)
    assert closer.scale == geometry.MIN_ENLARGEMENT * fit


@pytest.mark.parametrize(
    ("start", "end"), [((-90, 20), (-30, 60)), ((20, -90), (60, -30)), ((200, 20), (300, 60)), ((20, 200), (60, 300))]
)
def test_a_crop_beside_the_picture_is_none(start: Point, end: Point) -> None:
    assert crop(read_frame(series_of("CT_small.dcm").frames[0]), start, end) is None


def test_a_picture_cannot_be_panned_out_of_sight() -> None:
    view, shape = View(800, 600, scale=1.0), Shape(512, 400)
    left, top, _, _ = geometry.rectangle(geometry.panned(view, shape, 1e6, 1e6), shape)
    assert left < 800
    assert top < 600


def test_panning_keeps_the_scale() -> None:
    view, shape = View(800, 600), Shape(512, 400)
    moved = geometry.panned(view, shape, 10, 5)
    assert geometry.scale_of(moved, shape) == geometry.scale_of(view, shape)
    assert replace(moved, scale=None, pan=(0, 0)) == view
