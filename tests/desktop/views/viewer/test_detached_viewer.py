"""The detached viewer, as on a second monitor."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from tests.desktop.conftest import dicom, open_paths


def detach(qtbot: QtBot, app: App) -> None:
    app.actions.actions["detach_viewer"].trigger()
    qtbot.waitExposed(app.window.detached_viewer)


def test_the_viewer_is_detached_and_attached_again(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    detach(qtbot, app)
    assert app.window.viewport.window() is app.window.detached_viewer
    assert app.window.viewport.isVisible()
    assert app.actions.actions["detach_viewer"].isChecked()
    app.window.detached_viewer.close()
    assert app.window.viewport.window() is app.window
    assert app.window.viewport.isVisible()
    assert not app.window.detached_viewer.isVisible()
    qtbot.waitUntil(lambda: not app.actions.actions["detach_viewer"].isChecked())


def test_a_button_in_the_main_window_attaches_it(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    qtbot.mouseClick(app.window._placeholder.attach, Qt.MouseButton.LeftButton)
    assert app.window.viewport.window() is app.window


def test_shortcuts_work_in_the_detached_viewer(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    detach(qtbot, app)
    app.window.detached_viewer.activateWindow()
    app.window.viewport.setFocus()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is app.window.detached_viewer)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_I)
    assert app.desk.viewport.inverted


def test_a_larger_layout_stays_in_the_detached_viewer(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    app.actions.actions["grid_2x2"].trigger()
    assert all(view.window() is app.window.detached_viewer for view in app.window.grid.views)


def test_closing_the_app_closes_both_windows_and_stores_that_it_was_detached(qtbot: QtBot, app: App) -> None:
    detach(qtbot, app)
    app.window.close()
    assert not app.window.detached_viewer.isVisible()
    assert app.desk.settings.now.detached


@pytest.mark.parametrize("detached", [False, True])
def test_f6_goes_from_the_report_to_the_image_in_either_window(qtbot: QtBot, app: App, detached: bool) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    if detached:
        detach(qtbot, app)
    editor = app.window.report_panel.editor
    app.window.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    qtbot.keyClick(editor, Qt.Key.Key_F6)
    qtbot.waitUntil(app.window.viewport.hasFocus)
    assert app.window.report_dock.isVisible()
