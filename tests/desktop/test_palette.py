"""The command palette, the list of shortcuts, recent paths, and closing one study."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.actions import COMMANDS
from desktop.app import App
from desktop.commands.synonyms import SYNONYMS
from desktop.views.chooser import WIDTH, Choice, Chooser, fitted
from tests.desktop.conftest import dicom, open_paths, settle

CONTROL = Qt.KeyboardModifier.ControlModifier


def palette(app: App) -> Chooser:
    chooser = app.window.chooser
    assert chooser is not None
    return chooser


def test_the_palette_finds_a_command_by_a_few_letters_and_runs_it(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.actions.actions["command_palette"].trigger()
    chooser = palette(app)
    assert (chooser.windowTitle(), chooser.typed.placeholderText()) == ("Command palette", "Search commands")
    assert len(chooser.shown()) == len(COMMANDS) - 1
    qtbot.keyClicks(chooser.typed, "inv")
    assert [(choice.text, choice.context, choice.keys) for choice in chooser.shown()] == [("Invert", "Window", "I")]
    qtbot.keyClick(chooser.typed, Qt.Key.Key_Return)
    assert app.desk.viewport.inverted


def test_an_unavailable_command_is_listed_and_not_run(qtbot: QtBot, app: App) -> None:
    app.actions.actions["command_palette"].trigger()
    chooser = palette(app)
    qtbot.keyClicks(chooser.typed, "invert")
    assert not chooser.shown()[0].enabled
    qtbot.keyClick(chooser.typed, Qt.Key.Key_Return)
    assert chooser.isVisible()
    chooser.close()


@pytest.mark.parametrize("field", ["report", "words"])
def test_the_palette_opens_while_a_text_has_the_keyboard(qtbot: QtBot, app: App, field: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    texts: dict[str, QWidget] = {"report": app.window.report_panel.editor, "words": app.window.search_panel.text}
    text = texts[field]
    text.setFocus()
    qtbot.waitUntil(text.hasFocus)
    qtbot.keyClick(text, Qt.Key.Key_K, CONTROL)
    assert palette(app).isVisible()
    palette(app).close()


def test_the_list_of_shortcuts_has_every_key(qtbot: QtBot, app: App) -> None:
    app.actions.actions["keyboard_shortcuts"].trigger()
    shown = {choice.text: choice.keys for choice in palette(app).shown()}
    assert shown["Actual pixels (1:1)"] == "O, Ctrl+0"
    assert len(palette(app).shown()) == sum(bool(command.shortcuts) for command in COMMANDS)
    palette(app).close()


def test_a_long_text_leaves_room_for_its_context(app: App) -> None:
    metrics = QFontMetricsF(app.window.font())
    choice = Choice("2020-02-03  Series 12: " + 9 * "axial thin soft ", print, "Doe, John · " + 9 * "chest ")
    width = WIDTH * metrics.averageCharWidth()
    text, context = fitted(choice, width, metrics)
    assert text.startswith("2020-02-03  Series 12: axial")
    assert context.startswith("Doe, John · chest")
    assert metrics.horizontalAdvance(text) + metrics.horizontalAdvance(context) <= width
    assert fitted(replace(choice, context=""), 10_000, metrics)[0] == choice.text


def test_a_shortcut_finds_its_command(qtbot: QtBot, app: App) -> None:
    app.actions.actions["keyboard_shortcuts"].trigger()
    chooser = palette(app)
    assert chooser.typed.placeholderText() == "Search keyboard shortcuts"
    qtbot.keyClicks(chooser.typed, "ctrl+0")
    assert [choice.text for choice in chooser.shown()] == ["Actual pixels (1:1)"]
    chooser.close()


def test_a_recent_path_is_opened_again(qtbot: QtBot, app: App) -> None:
    assert not app.actions.actions["open_recent"].isEnabled()
    app.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, app)
    app.desk.studies.close_all()
    app.actions.actions["open_recent"].trigger()
    assert [choice.text for choice in palette(app).shown()] == ["CT_small.dcm"]
    qtbot.keyClick(palette(app).typed, Qt.Key.Key_Return)
    settle(qtbot, app)
    assert len(app.desk.studies.studies) == 1


def test_recent_names_are_hidden_with_patient_data(qtbot: QtBot, app: App) -> None:
    app.desk.settings.remember_opened([Path("/scans/Doe_Jane.zip")])
    app.desk.layout.toggle_patient_data()
    qtbot.waitUntil(app.actions.actions["open_recent"].isEnabled)
    app.actions.actions["open_recent"].trigger()
    assert [(choice.text, choice.context) for choice in palette(app).shown()] == [("Item 1", "name hidden")]
    palette(app).close()


def test_one_study_is_closed_and_the_others_stay(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    assert app.desk.studies.study is not None
    gone = app.desk.studies.study.uid
    app.actions.actions["close_study"].trigger()
    assert gone not in {study.uid for study in app.desk.studies.studies}
    assert len(app.desk.studies.studies) == 1


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("mpr", "mpr"),
        ("ruler", "tool_length"),
        ("dark", "light_theme"),
        ("brightness", "tool_window"),
        ("contrast", "tool_window"),
        ("invert", "invert"),
        ("negative", "invert"),
        ("pacs", "pacs_settings"),
        ("export", "export_image"),
        ("export sr", "export_report"),
        ("find similar", "find_similar"),
        ("preferences", "settings"),
        ("roi", "tool_window_from_roi"),
        ("undo", "undo"),
        ("sign off", "sign_report"),
        ("magnifying glass", "magnifier"),
        ("hanging protocol", "grid_1x1"),
        ("volume", "mpr"),
        ("lock", "link_viewports"),
        ("old study", "compare_with_prior"),
        ("priors", "find_priors"),
        ("prior comparison", "compare_with_prior"),
        ("2x2", "grid_2x2"),
        ("split screen", "grid_1x1"),
        ("patient list", "show_studies"),
        ("next patient", "next_series"),
        ("diameter", "tool_length"),
        ("pause", "play_cine"),
        ("laterality", "review_checks"),
        ("finalise", "sign_report"),
        ("de-identify", "export_study"),
        ("erase", "delete_measurement"),
        ("slice", "next_image"),
        ("dictation", "edit_report"),
        ("cursor", "point_with_keys"),
        ("message", "go_to_message"),
    ],
)
def test_the_palette_finds_a_command_by_other_words_the_best_match_first(app: App, typed: str, first: str) -> None:
    app.actions.open_palette()
    palette(app).typed.setText(typed)
    text = next(command.text for command in COMMANDS if command.name == first)
    assert palette(app).shown()[0].text == text
    palette(app).close()


def test_other_words_are_those_of_commands_that_exist() -> None:
    assert set(SYNONYMS) <= {command.name for command in COMMANDS}
    assert all(words == words.casefold() for words in SYNONYMS.values())
