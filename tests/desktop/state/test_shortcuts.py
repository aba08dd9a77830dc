"""Own keys of commands: what is stored, what is refused, and what a wrong settings file does."""

from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.settings import SettingsState
from desktop.state.shortcuts import Bound, ShortcutsState

COMMANDS = (
    Bound("invert", "Invert", "Window", ("I",)),
    Bound("zoom", "Zoom in", "Image", ("+", "Ctrl++")),
    Bound("next", "Next image", "Image", ("Down",), in_viewport=True),
    Bound("color", "Hot", "Window"),
)


def made(folder: Path, stored: Any = None) -> tuple[ShortcutsState, list[str]]:
    settings = SettingsState(folder)
    if stored is not None:
        settings.change(shortcuts=stored)
    state, told = ShortcutsState(settings), list[str]()
    state.problem.connect(told.append)
    state.define(COMMANDS, {"Alt+F": "File"})
    return state, told


def test_only_what_differs_from_the_default_is_stored(qtbot: QtBot, tmp_path: Path) -> None:
    state, told = made(tmp_path)
    assert state.keys("zoom") == ("+", "Ctrl++")
    state.assign("invert", ["Ctrl+I", "ctrl+i"])
    assert SettingsState(tmp_path).now.shortcuts == {"invert": ["Ctrl+I"]}
    again, _ = made(tmp_path)
    assert again.keys("invert") == ("Ctrl+I",)
    assert again.is_own("invert")
    again.reset("invert")
    assert SettingsState(tmp_path).now.shortcuts == {}
    assert told == []


def test_a_key_of_another_command_is_told_before_and_taken_only_when_asked(qtbot: QtBot, tmp_path: Path) -> None:
    state, _ = made(tmp_path)
    assert state.why_not("color", "I") == ""
    holder = state.holder("color", "I")
    assert holder is not None
    assert holder.text == "Invert"
    assert state.keys("invert") == ("I",)
    state.assign("color", ["I"])
    assert (state.keys("color"), state.keys("invert")) == (("I",), ())
    state.reset("invert")
    assert (state.keys("color"), state.keys("invert")) == ((), ("I",))
    state.assign("color", ["Ctrl+Alt+H"])
    state.reset_all()
    assert SettingsState(tmp_path).now.shortcuts == {}


@pytest.mark.parametrize("key", ["", "Foo", "Ctrl+Foo", "Ctrl+K, Ctrl+S", "Tab", "Alt+F", "Down", "Return", "Del"])
def test_keys_that_no_command_of_the_window_can_have_are_refused(qtbot: QtBot, tmp_path: Path, key: str) -> None:
    state, _ = made(tmp_path)
    assert state.why_not("color", key)


def test_a_key_of_lists_is_free_for_commands_of_a_viewport_and_with_ctrl(qtbot: QtBot, tmp_path: Path) -> None:
    state, _ = made(tmp_path)
    assert state.why_not("next", "PgDown") == ""
    assert state.why_not("color", "Ctrl+Down") == ""


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"invert": "I"}, "not a list"),
        ({"invert": ["Foo"]}, "Foo is not a key"),
        ({"invert": [3]}, "not a list"),
        ({"invert": None}, "not a list"),
        ({"nothing": ["I"]}, "no command “nothing”"),
        ({"invert": ["+"]}, "+ is the key of Zoom in"),
        ({"invert": ["Alt+F"]}, "opens the menu File"),
        ({"color": ["H"], "next": ["H"]}, "H is the key of"),
    ],
)
def test_a_bad_entry_is_told_and_the_default_is_used(qtbot: QtBot, tmp_path: Path, stored: Any, said: str) -> None:
    state, told = made(tmp_path, stored)
    assert len(told) == 1
    assert said in told[0]
    assert state.keys("invert") == ("I",)
    every = [key for command in COMMANDS for key in state.keys(command.name)]
    assert len(set(every)) == len(every)


def test_a_good_entry_beside_a_bad_one_is_used(qtbot: QtBot, tmp_path: Path) -> None:
    state, told = made(tmp_path, {"invert": ["Foo"], "color": ["Ctrl+H"]})
    assert state.keys("color") == ("Ctrl+H",)
    assert len(told) == 1


def test_texts_name_the_key_in_use_and_drop_an_empty_one(qtbot: QtBot, tmp_path: Path) -> None:
    state, _ = made(tmp_path)
    assert state.fill("Invert ({invert})") == "Invert (I)"
    assert state.fill("Take ({color}; in the list A)") == "Take (in the list A)"
    assert state.fill("Hot ({color})") == "Hot"
    assert state.fill("{color} lists them") == "Window menu lists them"


def test_menus_tooltips_and_palette_show_an_own_key(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.shortcuts.assign("search_by_text", ["Ctrl+Alt+F"])
    action = app.actions.actions["search_by_text"]
    assert [key.toString() for key in action.shortcuts()] == ["Ctrl+Alt+F"]
    assert action.toolTip() == "Search by text (Ctrl+Alt+F)"
    assert app.window.search_panel.text.toolTip() == "Search the archive by text (Ctrl+Alt+F)"
    app.actions.show_shortcuts()
    assert app.window.chooser is not None
    assert "Ctrl+Alt+F" in [choice.keys for choice in app.window.chooser.shown()]
    app.window.chooser.close()
    app.desk.shortcuts.assign("search_by_text", [])
    assert app.window.search_panel.text.toolTip() == "Search the archive by text"
    app.close()
    again = build(tmp_path / "workspace")
    assert again.actions.actions["search_by_text"].shortcuts() == []
    again.close()
    again.window.deleteLater()
