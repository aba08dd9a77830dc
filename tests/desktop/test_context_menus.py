"""Context menus: commands of the table on the image, on a measurement, on a series and in the report."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.commands import context_menus
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths
from tests.desktop.state.measure.test_measuring import screen_point

RIGHT = Qt.MouseButton.RightButton


@pytest.fixture
def ct(qtbot: QtBot, app: App) -> Iterator[App]:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    yield app
    if (menu := QApplication.activePopupWidget()) is not None:
        menu.close()


def names(menu: QMenu | None) -> list[str]:
    assert menu is not None
    return [action.objectName() for action in menu.actions() if action.objectName()]


@pytest.mark.parametrize(
    "groups", [context_menus.IMAGE, context_menus.MEASUREMENT, context_menus.SERIES, context_menus.REPORT]
)
def test_a_context_menu_has_commands_of_the_table(app: App, groups: context_menus.Groups) -> None:
    assert {name for group in groups for name in group} <= set(app.actions.actions)


def test_a_right_click_on_the_image_opens_its_menu_with_what_can_be_done(qtbot: QtBot, ct: App) -> None:
    qtbot.mouseClick(ct.window.viewport, RIGHT, pos=screen_point(ct, (64, 64)))
    found = names(ct.actions.context_menu)
    assert found[:3] == ["fit_to_viewport", "actual_pixels", "reset_view"]
    assert "copy_image" in found
    assert "next_slab" not in found  # needs MPR
    assert all(ct.actions.actions[name].isEnabled() for name in found)


def test_a_right_drag_changes_the_window_and_opens_no_menu(qtbot: QtBot, ct: App) -> None:
    view, start = ct.window.viewport, screen_point(ct, (64, 64))
    before = ct.desk.viewport.shown_window
    qtbot.mousePress(view, RIGHT, pos=start)
    qtbot.mouseMove(view, start + QPoint(40, 0))
    qtbot.mouseRelease(view, RIGHT, pos=start + QPoint(40, 0))
    assert ct.desk.viewport.shown_window != before
    assert ct.actions.context_menu is None


def test_a_right_click_on_a_measurement_selects_it_and_opens_its_menu(qtbot: QtBot, ct: App) -> None:
    picture = ct.desk.viewport.picture
    assert picture is not None
    item = Measurement("length", ((20, 20), (100, 20)), picture.ref.image.sop_uid)
    ct.desk.measurements.add(item)
    ct.desk.measurements.select("")
    qtbot.mouseClick(ct.window.viewport, RIGHT, pos=screen_point(ct, (60, 20)))
    assert ct.desk.measurements.selected == item.id
    assert "delete_measurement" in names(ct.actions.context_menu)
    ct.actions.actions["delete_measurement"].trigger()
    assert ct.desk.measurements.of_study() == ()


def test_the_menu_key_opens_the_menu_of_the_image(ct: App) -> None:
    view = ct.window.viewport
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(1, 1), QPoint(1, 1))
    QApplication.sendEvent(view, event)
    assert "fit_to_viewport" in names(ct.actions.context_menu)


def test_a_series_in_the_list_has_a_menu(ct: App) -> None:
    listed = ct.window.series_list
    shown = listed.list
    listed.list.customContextMenuRequested.emit(shown.visualRect(shown.currentIndex()).center())
    found = names(ct.actions.context_menu)
    assert "close_study" in found
    assert "dicom_tags" in found


def test_the_report_adds_its_commands_to_the_menu_of_the_text(ct: App) -> None:
    menu = QMenu(ct.window)
    ct.window.report_panel.editor.add_to_menu(menu)
    assert "insert_template" in names(menu)
    menu.deleteLater()
