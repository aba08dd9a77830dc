"""Every command has a handler, unique shortcuts, a menu and an existing icon."""

from collections import Counter

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from desktop.actions import COMMANDS, MENUS, TOOLBAR
from desktop.app import App
from desktop.mnemonics import plain
from engine.image.voi import Window
from engine.resources import resource_path
from tests.desktop.conftest import dicom, open_paths


def test_no_two_commands_share_a_shortcut() -> None:
    keys = Counter(QKeySequence(key).toString() for command in COMMANDS for key in command.shortcuts)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys


def test_names_are_unique_and_every_command_has_a_menu_and_a_key() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    assert {command.menu for command in COMMANDS} == set(MENUS)
    without = {command.submenu or command.name for command in COMMANDS if not command.shortcuts}
    choices = {"Color map", "More presets", "Sort studies", "MPR slab", "Oblique plane"}  # by menus and palette
    for_good = {"delete_case", "delete_patient"}  # no slip of a finger may begin what cannot be undone
    of_the_image = {"point_with_keys"}  # Enter on an image, which lists and texts need
    assert without <= choices | for_good | of_the_image


def test_the_toolbar_shows_commands_with_icons() -> None:
    icons = {command.name: command.icon for command in COMMANDS}
    for name in (name for group in TOOLBAR for name in group):
        assert resource_path("icons", f"{icons[name]}.svg").exists()


def test_every_action_reaches_its_handler(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(app.actions, "_run", lambda chosen: called.append(chosen.name))
    for command in COMMANDS:
        action = app.actions.actions[command.name]
        action.setEnabled(True)
        action.trigger()
    assert called == [command.name for command in COMMANDS]


def test_the_menus_hold_every_command(app: App) -> None:
    menus = [action.menu() for action in app.window.menuBar().actions()]
    assert menus[0].actions()[-1] is app.actions.actions["quit"]
    menus += [action.menu() for menu in menus for action in menu.actions() if action.menu()]
    shown = {action.objectName() for menu in menus for action in menu.actions()}
    assert {command.name for command in COMMANDS} <= shown


def test_image_commands_are_disabled_without_an_image(qtbot: QtBot, app: App) -> None:
    actions = app.actions.actions
    assert not actions["invert"].isEnabled()
    assert not actions["preset_1"].isEnabled()
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert actions["invert"].isEnabled()
    assert actions["preset_1"].isEnabled()
    assert plain(actions["preset_2"].text()) == "Lung (W 1500 L -600)"


def test_a_new_picture_of_a_series_updates_no_panel(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    emitted: list[str] = []
    app.desk.report.changed.connect(lambda: emitted.append("report"))
    app.desk.search.changed.connect(lambda: emitted.append("search"))
    with qtbot.waitSignal(app.desk.layout.active_proxy.picture_changed):
        app.desk.layout.active.set_window(Window(40.0, 80.0))
    assert emitted == []
    app.desk.layout.active.show(None, None)
    assert sorted(emitted) == ["report", "search"]


def test_hide_patient_data_is_checked_while_the_data_is_hidden(qtbot: QtBot, app: App) -> None:
    action = app.actions.actions["hide_patient_data"]
    assert (plain(action.text()), action.isChecked()) == ("Hide patient data", False)
    action.trigger()
    assert not app.desk.viewport.patient_data_visible
    assert action.isChecked()


def test_presets_that_a_modality_lacks_are_not_offered(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    assert not app.actions.actions["preset_9"].isVisible()


def test_a_failing_command_shows_a_message(qtbot: QtBot, app: App) -> None:
    app.desk.archive.importing = None
    app.window.dialogs.open_files = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    app.actions.actions["open_files"].trigger()
    assert app.desk.messages.message is not None
    assert "ZeroDivisionError" in app.desk.messages.message.details


def test_arrow_keys_scroll_only_while_a_viewport_has_the_focus(app: App) -> None:
    for name in ("next_image", "previous_image", "forward_ten_images", "back_ten_images", "first_image", "last_image"):
        assert app.actions.actions[name].shortcutContext() == Qt.ShortcutContext.WidgetShortcut
        assert app.actions.actions[name] in app.window.viewport.actions()


@pytest.mark.parametrize("name", ["show_studies", "show_similar", "show_report"])
def test_a_panel_is_focused_by_its_shortcut_and_hidden_by_the_second_press(qtbot: QtBot, app: App, name: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    window = app.window
    docks = {"show_studies": window.studies_dock, "show_similar": window.search_dock, "show_report": window.report_dock}
    app.actions.actions[name].trigger()
    focus = window.focusWidget()
    assert focus is not None
    assert docks[name].isAncestorOf(focus)
    app.actions.actions[name].trigger()
    assert docks[name].isHidden()
    assert window.focusWidget() is window.viewport
