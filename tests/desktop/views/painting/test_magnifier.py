"""The magnifier: a lens around the mouse with the pixels of the image, for as long as its key is held."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.pictures.picture import PictureRequest, make_picture, part_at_full_size
from desktop.state.viewer import geometry
from desktop.state.viewer.basic_tools import LENS_RADIUS, lens_factor
from engine.image.pixels import read_frame
from engine.image.voi import Window
from engine.image.window import render
from tests.desktop.conftest import dicom, open_paths

PERIOD = Qt.Key.Key_Period


@pytest.fixture
def mr(qtbot: QtBot, app: App) -> App:
    open_paths(qtbot, app, dicom("MR2_UNCI.dcm"))
    app.window.viewport.setFocus()
    qtbot.waitUntil(app.actions.actions["magnifier"].isEnabled)
    return app


def point(app: App, column: float, row: float) -> QPoint:
    state = app.desk.viewport
    assert state.shape is not None
    x, y = geometry.to_screen(state.view, state.shape, (column, row))
    return QPoint(round(x), round(y))


def test_it_is_on_while_its_key_is_held_and_changes_neither_window_nor_zoom(qtbot: QtBot, mr: App) -> None:
    view, state = mr.window.viewport, mr.desk.viewport
    before = state.view, state.shown_window, state.index
    qtbot.mouseMove(view, point(mr, 500, 500))
    plain = view.grab().toImage()
    qtbot.keyPress(view, PERIOD)
    assert mr.desk.magnifier.on
    lens = view.grab().toImage()
    qtbot.keyRelease(view, PERIOD)
    assert not mr.desk.magnifier.on
    assert (state.view, state.shown_window, state.index) == before
    assert plain != lens
    assert plain == view.grab().toImage()


def test_it_is_off_when_the_keyboard_goes_elsewhere_and_on_esc(qtbot: QtBot, mr: App) -> None:
    qtbot.keyPress(mr.window.viewport, PERIOD)
    mr.window.search_panel.text.setFocus()
    assert not mr.desk.magnifier.on
    mr.desk.magnifier.show(True)
    mr.actions.actions["cancel_drawing"].trigger()
    assert not mr.desk.magnifier.on


def test_the_point_under_the_mouse_stays_there_and_what_is_around_it_moves_apart(qtbot: QtBot, mr: App) -> None:
    """A bright rectangle of pixels beside the mouse is as many times as far away in the lens."""
    view, state = mr.window.viewport, mr.desk.viewport
    picture = state.picture
    assert picture is not None
    factor = lens_factor(state.scale)
    middle = point(mr, 430, 560)
    qtbot.mouseMove(view, middle)
    mr.desk.magnifier.show(True)
    shown = view.grab().toImage()
    full = picture.levels[0]
    assert picture.halvings == 0
    for right, down in ((0, 0), (40, 20), (-50, 30), (20, -60)):
        at = middle + QPoint(right, down)
        source = state.to_image((middle.x() + (right + 0.5) / factor, middle.y() + (down + 0.5) / factor))
        assert source is not None
        column, row = round(source[0] - 0.5), round(source[1] - 0.5)
        around = full[row - 1 : row + 2, column - 1 : column + 2]
        gray = QColor(shown.pixel(at)).red()
        assert around.min() - 2 <= gray <= around.max() + 2


@pytest.mark.parametrize(("scale", "factor"), [(0.2, 4), (0.75, 4), (1, 3), (1.5, 2), (8, 2)])
def test_it_enlarges_two_to_four_times(scale: float, factor: float) -> None:
    assert lens_factor(scale) == factor
    assert LENS_RADIUS > 100


@pytest.mark.parametrize("inverted", [False, True])
def test_a_picture_made_from_fewer_pixels_is_magnified_from_all_of_them(qtbot: QtBot, mr: App, inverted: bool) -> None:
    series = mr.desk.viewport.series
    assert series is not None
    pixels, window = read_frame(series.frames[0]), Window(900, 1500)
    picture = make_picture(PictureRequest(series, 0, window, inverted, pixels, halvings=2))
    assert picture.halvings == 2
    expected = render(pixels, window)[100:220, 300:400]
    found = part_at_full_size(picture, slice(100, 220), slice(300, 400))
    assert_array_equal(found, np.subtract(255, expected, dtype=np.uint8) if inverted else expected)


def test_another_key_does_not_end_it_and_the_users_own_key_does(qtbot: QtBot, mr: App) -> None:
    view = mr.window.viewport
    qtbot.keyPress(view, PERIOD)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert mr.desk.magnifier.on
    mr.desk.shortcuts.assign("magnifier", ("Shift+H",))
    qtbot.keyRelease(view, Qt.Key.Key_H)
    assert not mr.desk.magnifier.on
