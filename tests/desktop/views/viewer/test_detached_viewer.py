"""The images in a window of their own, as on a second monitor."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from tests.desktop.conftest import dicom, open_paths


def detach(qtbot: QtBot, app: App) -> None:
    app.actions.actions["detach"].trigger()
    qtbot.waitExposed(app.window.detached_viewer)


def test_the_images_go_to_their_own_window_and_come_back(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    detach(qtbot, app)
    assert app.window.viewport.window() is app.window.detached_viewer
    assert app.window.viewport.isVisible()
    assert app.actions.actions["detach"].isChecked()
    app.window.detached_viewer.close()
    assert app.window.viewport.window() is app.window
    assert app.window.viewport.isVisible()
    assert not app.window.detached_viewer.isVisible()
    qtbot.waitUntil(lambda: not app.actions.actions["detach"].isChecked())


def test_a_button_in_the_main_window_brings_them_back(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    qtbot.mouseClick(app.window._placeholder.back, Qt.MouseButton.LeftButton)
    assert app.window.viewport.window() is app.window


def test_the_keys_of_the_app_work_in_the_window_of_the_images(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    detach(qtbot, app)
    app.window.detached_viewer.activateWindow()
    app.window.viewport.setFocus()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window.detached_viewer)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_I)
    assert app.desk.viewport.inverted


def test_a_larger_layout_stays_where_the_images_are(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    app.actions.actions["grid_2x2"].trigger()
    assert all(view.window() is app.window.detached_viewer for view in app.window.grid.views)


def test_closing_the_app_closes_both_and_remembers_them_apart(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    app.window.close()
    assert not app.window.detached_viewer.isVisible()
    assert app.desk.settings.now.detached
