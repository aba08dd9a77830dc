"""The pointer of the keyboard: every tool works with keys alone, in the real window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.viewer.annotation_field import AnnotationField
from tests.desktop.conftest import dicom, open_paths, settle

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def reader(qtbot: QtBot, app: App) -> App:
    """The app with an image that has the keyboard."""
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window)
    app.window.viewport.setFocus()
    return app


def press(qtbot: QtBot, app: App, *keys: Key, times: int = 1, shift: bool = False) -> None:
    for key in keys:
        for _ in range(times):
            modifier = SHIFT if shift else Qt.KeyboardModifier.NoModifier
            qtbot.keyClick(app.window.viewport, key, modifier)


def test_a_length_is_drawn_moved_and_deleted_with_keys(qtbot: QtBot, reader: App) -> None:
    measurements, view = reader.desk.measurements, reader.window.viewport
    press(qtbot, reader, Key.Key_D, Key.Key_Return)
    press(qtbot, reader, Key.Key_Left, times=5)
    press(qtbot, reader, Key.Key_Return)
    press(qtbot, reader, Key.Key_Right, times=10)
    assert measurements.draft is not None  # it follows the pointer
    press(qtbot, reader, Key.Key_Return)
    (drawn,) = measurements.of_study()
    (x0, y0), (x1, y1) = drawn.points
    middle = view.state.to_image((view.width() / 2, view.height() / 2))
    assert middle is not None
    assert (x0 + x1) / 2 == pytest.approx(middle[0], abs=0.1)
    assert y0 == y1 == pytest.approx(middle[1], abs=0.1)
    press(qtbot, reader, Key.Key_Return)  # grabs the handle under the pointer
    press(qtbot, reader, Key.Key_Down, times=3)
    press(qtbot, reader, Key.Key_Return)
    (moved,) = measurements.of_study()
    assert moved.points[0] == drawn.points[0]
    assert moved.points[1][1] > y1
    assert moved.points[1][0] == pytest.approx(x1)
    press(qtbot, reader, Key.Key_Escape, Key.Key_Delete)
    assert measurements.of_study() == ()


def test_an_angle_takes_three_presses_and_esc_discards_one_begun(qtbot: QtBot, reader: App) -> None:
    press(qtbot, reader, Key.Key_A, Key.Key_Return, Key.Key_Return, Key.Key_Right, Key.Key_Return, Key.Key_Escape)
    assert reader.desk.measurements.draft is None
    assert reader.desk.key_pointer.viewport is not None
    press(qtbot, reader, Key.Key_Return)
    press(qtbot, reader, Key.Key_Right, times=4)
    press(qtbot, reader, Key.Key_Return)
    press(qtbot, reader, Key.Key_Down, times=4)
    press(qtbot, reader, Key.Key_Return)
    (drawn,) = reader.desk.measurements.of_study()
    assert len(drawn.points) == 3
    press(qtbot, reader, Key.Key_Escape)
    assert reader.desk.key_pointer.viewport is None


def test_shift_moves_by_single_pixels_and_the_pointer_stays_inside(qtbot: QtBot, reader: App) -> None:
    press(qtbot, reader, Key.Key_Return)
    x, y = reader.desk.key_pointer.point
    press(qtbot, reader, Key.Key_Up, shift=True)
    assert reader.desk.key_pointer.point == (x, y - 1)
    press(qtbot, reader, Key.Key_Up, times=int(y // 10) + 3)
    assert reader.desk.key_pointer.point == (x, 0)


def test_a_rectangle_is_dragged_between_two_presses(qtbot: QtBot, reader: App) -> None:
    before = reader.desk.viewport.scale
    press(qtbot, reader, Key.Key_Z, shift=True)
    press(qtbot, reader, Key.Key_Return, Key.Key_Return)
    press(qtbot, reader, Key.Key_Right, Key.Key_Down, times=10)
    assert reader.desk.rubber_band.viewport is reader.desk.viewport
    press(qtbot, reader, Key.Key_Return)
    assert reader.desk.viewport.scale > before


def test_arrow_keys_scroll_again_once_the_pointer_ended(qtbot: QtBot, reader: App) -> None:
    open_paths(qtbot, reader, dicom("emri_small.dcm"))
    press(qtbot, reader, Key.Key_Home, Key.Key_Return, Key.Key_Down)
    assert reader.desk.viewport.index == 0
    press(qtbot, reader, Key.Key_Escape, Key.Key_Down)
    assert reader.desk.viewport.index == 1
    settle(qtbot, reader)


def test_it_ends_when_another_viewport_becomes_active(qtbot: QtBot, reader: App) -> None:
    press(qtbot, reader, Key.Key_D, Key.Key_Return, Key.Key_Return)
    reader.desk.layout.set_grid(1, 2)
    reader.desk.layout.activate(reader.desk.layout.viewports[1])
    assert reader.desk.key_pointer.viewport is None
    assert reader.desk.measurements.draft is None


def test_a_text_is_written_where_the_pointer_is(qtbot: QtBot, reader: App) -> None:
    press(qtbot, reader, Key.Key_T, shift=True)
    press(qtbot, reader, Key.Key_Return, Key.Key_Return)
    field = reader.window.grid.annotation_field
    assert isinstance(field, AnnotationField)
    qtbot.keyClicks(field, "scar")
    qtbot.keyClick(field, Key.Key_Return)
    assert [item.text for item in reader.desk.measurements.of_study()] == ["scar"]
    assert reader.window.viewport.hasFocus()
