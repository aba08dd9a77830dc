"""Templates come up by themselves, Tab fills them, and a word and Tab expands."""

import pytest
from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QPaintEvent
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.report.report import WRITE_FIRST, ReportState
from desktop.views.report.report_editor import ReportEditor
from engine.reports.templates.notation import parts_of
from engine.reports.templates.template import Template
from tests.desktop.conftest import settle, sign
from tests.desktop.state.report.conftest import drafted


@pytest.fixture
def editor(qtbot: QtBot, app: App, state: ReportState) -> ReportEditor:
    """The editor with the keyboard, and an own template for every CT."""
    writing = app.desk.writing
    writing.save(Template("My CT", parts_of("Lungs: [Lungs]\nSide: [Side: left|right]\nEnd: [End!]"), "CT", own=True))
    settle(qtbot, app)
    app.window.activateWindow()
    made = app.window.report_panel.editor
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def text_of(state: ReportState) -> str:
    assert state.page is not None
    return state.page.text


def test_the_template_that_suits_is_shown_in_an_empty_report_and_tab_takes_it(
    qtbot: QtBot, app: App, state: ReportState, editor: ReportEditor
) -> None:
    assert editor.placeholderText().startswith('Tab begins with the template "My CT":')
    assert text_of(state) == ""
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert text_of(state) == "Lungs: [Lungs]\nSide: [Side]\nEnd: [End]"
    assert editor.textCursor().selectedText() == "[Lungs]"
    state.undo()
    assert text_of(state) == ""


class Painted(QObject):
    """Remembers what a widget painted."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[QRect] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent):
            self.places.append(event.rect())
        return False


def test_a_template_of_more_lines_is_painted_in_full(
    qtbot: QtBot, app: App, state: ReportState, editor: ReportEditor
) -> None:
    painted, surface = Painted(), editor.viewport()
    surface.installEventFilter(painted)
    app.desk.writing.save(Template("My CT", parts_of("\n".join(f"Line {n}" for n in range(9))), "CT", own=True))
    qtbot.waitUntil(lambda: "Line 8" in editor.placeholderText() and surface.rect() in painted.places)


def test_tab_goes_from_field_to_field_and_then_on(
    qtbot: QtBot, app: App, state: ReportState, editor: ReportEditor
) -> None:
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClicks(editor, "Clear.")
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.textCursor().selectedText() == "[Side]"
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.textCursor().selectedText() == "[End]"
    qtbot.keyClick(editor, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert editor.textCursor().selectedText() == "[Side]"
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClicks(editor, "Done")
    assert text_of(state) == "Lungs: Clear.\nSide: [Side]\nEnd: Done"
    assert [check.message for check in app.desk.checking.checks] == ["Side is empty."]
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert not editor.hasFocus()


def test_a_field_with_choices_is_filled_from_its_list(
    qtbot: QtBot, app: App, state: ReportState, editor: ReportEditor
) -> None:
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClick(editor, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert editor.choices is not None
    assert [action.text() for action in editor.choices.actions()] == ["left", "right"]
    qtbot.keyClick(editor.choices, Qt.Key.Key_Down)
    qtbot.keyClick(editor.choices, Qt.Key.Key_Return)
    assert "Side: right\n" in text_of(state)


def test_a_word_and_tab_expands_and_goes_to_its_first_field(
    qtbot: QtBot, app: App, state: ReportState, editor: ReportEditor
) -> None:
    app.desk.settings.change(macros={"nod": "Nodule of [Size #] mm.", "nl": "Normal."})
    qtbot.keyClicks(editor, "There: nl")
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    qtbot.keyClicks(editor, " nod")
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert text_of(state) == "There: Normal. Nodule of [Size] mm."
    assert editor.textCursor().selectedText() == "[Size]"
    qtbot.keyClicks(editor, "5")
    assert text_of(state) == "There: Normal. Nodule of 5 mm."


def test_a_draft_waits_for_own_words_if_the_user_wants_to_write_first(
    qtbot: QtBot, app: App, state: ReportState
) -> None:
    app.actions.actions["write_first"].trigger()
    assert state.why_no_draft() == WRITE_FIRST
    state.draft()
    assert not state.drafting
    state.edit("Small left effusion.")
    assert state.why_no_draft() == ""
    drafted(qtbot, app, state)
    assert len(state.rows) == 2


def test_decisions_are_counted_over_the_signed_reports(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    state.select(0)
    state.accept()
    state.dismiss()
    sign(app)
    settle(qtbot, app)
    told = []
    state.count_decisions(told.append)
    settle(qtbot, app)
    assert (told[0].accepted, told[0].edited, told[0].dismissed) == (1, 0, 1)
