"""Every item of every menu has a letter of its own, and F10 and Alt reach the menus."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from desktop.actions import COMMANDS, MENUS
from desktop.app import App
from desktop.mnemonics import plain, with_mnemonics
from tests.desktop.conftest import dicom, open_paths


def letter(text: str) -> str:
    single = text.replace("&&", "")
    return single[single.index("&") + 1].casefold() if "&" in single else ""


def test_letters_are_shared_out_so_that_each_text_has_one() -> None:
    marked = with_mnemonics(["Copy", "Close", "Cut", "o", "Cl"])
    letters = [letter(text) for text in marked]
    assert sorted(letters) == sorted(set(letters))
    assert "" not in letters
    assert [plain(text) for text in marked] == ["Copy", "Close", "Cut", "o", "Cl"]


def test_a_text_gets_the_first_letter_of_a_word_where_it_is_free() -> None:
    assert with_mnemonics(["Open files…", "Open folder…", "Save"]) == ["&Open files…", "Open &folder…", "&Save"]


def test_where_letters_run_out_a_free_one_follows_in_brackets() -> None:
    marked = with_mnemonics(["1 × 1", "1 × 1", "R & D"])
    assert marked == ["&1 × 1", "1 × 1 (&2)", "&R && D"]
    assert [plain(text) for text in marked] == ["1 × 1", "1 × 1", "R & D"]


def menus(app: App) -> list[QMenu]:
    bar = [action.menu() for action in app.window.menuBar().actions()]
    return [*bar, *(action.menu() for menu in bar for action in menu.actions() if action.menu())]  # type: ignore[union-attr,list-item]


@pytest.mark.parametrize("name", ["CT_small.dcm", ""])
def test_no_two_items_of_a_menu_share_a_letter(qtbot: QtBot, app: App, name: str) -> None:
    if name:
        open_paths(qtbot, app, dicom(name))  # with a submenu of more presets
    for menu in menus(app):
        shown = [action for action in menu.actions() if action.isVisible() and not action.isSeparator()]
        letters = [letter(action.text()) for action in shown]
        assert "" not in letters, menu.title()
        assert len(set(letters)) == len(letters), menu.title()


def test_alt_and_a_letter_opens_each_menu_and_no_command_takes_it(app: App) -> None:
    letters = [letter(action.text()) for action in app.window.menuBar().actions()]
    assert letters == [title[0].casefold() for title in MENUS]
    assert len(set(letters)) == len(letters)
    taken = {key.casefold() for command in COMMANDS for key in command.shortcuts}
    assert not taken & {f"alt+{one}" for one in letters}


def test_f10_moves_the_keyboard_to_the_menu_bar(qtbot: QtBot, app: App) -> None:
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_F10)
    bar = app.window.menuBar()
    assert bar.activeAction() is bar.actions()[0]


def test_the_palette_shows_no_mark(app: App) -> None:
    app.actions.open_palette()
    assert app.window.chooser is not None
    assert not any("&" in choice.text for choice in app.window.chooser.shown())
    app.window.chooser.close()
