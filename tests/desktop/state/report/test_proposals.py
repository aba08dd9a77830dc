"""Machine sentences are proposals beside the text until the user decides on each; the keyboard is enough for that."""

import sqlite3
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.report.report import ReportState
from engine.reports.agreement import Evidence
from engine.reports.document import LOST
from engine.reports.draft import Draft, Sentence
from engine.reports.workspace import DATABASE
from tests.desktop.conftest import dicom, open_paths, settle, sign
from tests.desktop.state.report.conftest import SENTENCES, Decoder, drafted

HEART, EFFUSION = (sentence.text for sentence in SENTENCES)
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def focus(qtbot: QtBot, app: App, widget: QWidget) -> None:
    app.window.activateWindow()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)


def texts(app: App) -> tuple[str, list[str]]:
    """The text, and what the list says."""
    tree = app.window.report_panel.tree
    listed = [tree.topLevelItem(row).text(0).partition(",")[0] for row in range(tree.topLevelItemCount())]
    return app.window.report_panel.editor.toPlainText(), listed


@pytest.mark.parametrize("key", [Qt.Key.Key_A, Qt.Key.Key_Return])
def test_proposals_are_accepted_one_by_one_by_key(qtbot: QtBot, app: App, state: ReportState, key: Qt.Key) -> None:
    state.edit("Own words.")
    drafted(qtbot, app, state)
    tree = app.window.report_panel.tree
    focus(qtbot, app, tree)
    assert texts(app) == ("Own words.", [f"{HEART}: Proposed", f"{EFFUSION}: Proposed"])
    qtbot.keyClick(tree, key)
    assert texts(app) == (f"Own words. {HEART}", [f"{HEART}: Accepted", f"{EFFUSION}: Proposed"])
    assert not state.can_sign
    qtbot.keyClick(tree, key)
    assert texts(app)[0] == f"Own words. {HEART} {EFFUSION}"
    assert state.can_sign


def test_the_keys_for_a_proposal_follow_the_selection(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    state.accept()
    keys = [app.actions.actions[name] for name in ("accept_proposal", "edit_proposal", "dismiss_proposal")]
    for proposal, possible in ((0, False), (1, True), (0, False)):  # the first one stands in the text
        state.select(proposal)
        qtbot.waitUntil(lambda possible=possible: [key.isEnabled() for key in keys] == [possible] * 3)


def test_a_doubled_sentence_is_underlined_twice(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    state.accept()
    state.edit(f"{HEART} Own. {HEART}")
    app.window.report_panel.editor.show_page()
    underlined = [one.cursor.selectedText() for one in app.window.report_panel.editor.extraSelections()]  # type: ignore[attr-defined]
    assert underlined == [HEART, HEART]


def test_a_key_that_is_held_decides_on_one_proposal_only(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    tree = app.window.report_panel.tree
    focus(qtbot, app, tree)
    for repeated in (False, True, True):
        held = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a", repeated)
        QApplication.sendEvent(tree, held)
    assert texts(app) == (HEART, [f"{HEART}: Accepted", f"{EFFUSION}: Proposed"])


def test_a_second_draft_has_to_be_scrolled_through_again(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    page = state.page
    assert page is not None
    page.seen.update(range(100))
    state.undo()
    drafted(qtbot, app, state)
    assert page.seen <= {0, 1}  # at most what the list shows now


def test_a_dismissed_proposal_is_gone_until_it_is_undone(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    tree = app.window.report_panel.tree
    focus(qtbot, app, tree)
    qtbot.keyClick(tree, Qt.Key.Key_D)
    assert texts(app) == ("", [f"{EFFUSION}: Proposed"])
    qtbot.keyClick(tree, Qt.Key.Key_Z, CONTROL)
    assert texts(app) == ("", [f"{HEART}: Proposed", f"{EFFUSION}: Proposed"])


def test_a_proposal_that_is_edited_goes_into_the_text_and_is_selected_there(
    qtbot: QtBot, app: App, state: ReportState
) -> None:
    state.edit("\U0001d4d0 first.")  # Qt counts this character twice
    drafted(qtbot, app, state)
    panel = app.window.report_panel
    focus(qtbot, app, panel.tree)
    qtbot.keyClick(panel.tree, Qt.Key.Key_E)
    assert panel.editor.hasFocus()
    assert panel.editor.textCursor().selectedText() == HEART
    cursor = panel.editor.textCursor()
    cursor.setPosition(cursor.selectionStart() + len("The heart is "))
    panel.editor.setTextCursor(cursor)
    qtbot.keyClicks(panel.editor, "not ")
    edited = "\U0001d4d0 first. The heart is not enlarged."
    assert texts(app) == (edited, [f"{HEART}: Edited", f"{EFFUSION}: Proposed"])
    qtbot.keyClick(panel.editor, Qt.Key.Key_Z, CONTROL)
    assert texts(app)[1][0] == f"{HEART}: Accepted"
    qtbot.keyClick(panel.editor, Qt.Key.Key_Z, CONTROL)
    assert texts(app) == ("\U0001d4d0 first.", [f"{HEART}: Proposed", f"{EFFUSION}: Proposed"])
    qtbot.keyClick(panel.editor, Qt.Key.Key_Y, CONTROL)
    qtbot.keyClick(panel.editor, Qt.Key.Key_Y, CONTROL)
    assert texts(app)[0] == edited


def test_a_sentence_that_is_deleted_takes_its_evidence_with_it(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    state.accept()
    state.dismiss()
    editor = app.window.report_panel.editor
    assert app.window.report_panel.tree.topLevelItem(0).childCount() == 1
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    assert texts(app) == ("", [])
    qtbot.keyClick(editor, Qt.Key.Key_Z, CONTROL)
    assert texts(app) == (HEART, [f"{HEART}: Accepted"])


def test_all_are_accepted_at_once_only_after_they_were_scrolled_through(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    many = tuple(Sentence(f"Finding number {number} is seen.", None) for number in range(40))
    decoder.proposed = Draft(many, "double")
    drafted(qtbot, app, state)
    panel = app.window.report_panel
    focus(qtbot, app, panel.tree)
    qtbot.waitUntil(lambda: bool(state.page and state.page.seen))
    qtbot.keyClick(panel.tree, Qt.Key.Key_A, SHIFT)
    assert texts(app)[0] == ""
    assert not panel.accept_all.isEnabled()
    bar = panel.tree.verticalScrollBar()
    while bar.value() < bar.maximum():
        bar.triggerAction(bar.SliderAction.SliderPageStepAdd)
    assert panel.accept_all.isEnabled()
    qtbot.keyClick(panel.tree, Qt.Key.Key_A, SHIFT)
    assert texts(app)[0] == " ".join(sentence.text for sentence in many)
    state.undo()
    qtbot.keyClick(panel.tree, Qt.Key.Key_D, SHIFT)
    assert texts(app) == ("", [])


@pytest.mark.parametrize(("sentences", "unfolded"), [(1, True), (2, False)])
def test_reports_below_a_sentence_push_no_proposal_off_screen_until_the_list_has_the_keyboard(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder, sentences: int, unfolded: bool
) -> None:
    evidence = tuple(Evidence(case, "Heart enlarged.", 0.9) for case in range(2 if unfolded else 12))
    decoder.proposed = Draft(tuple(Sentence(f"Finding {n}.", None, evidence) for n in range(sentences)), "double")
    drafted(qtbot, app, state)
    tree = app.window.report_panel.tree
    qtbot.waitUntil(lambda: state.can_decide_all)
    assert tree.topLevelItem(0).isExpanded() == unfolded
    focus(qtbot, app, tree)
    assert tree.topLevelItem(0).isExpanded()


def test_marks_and_open_proposals_are_there_again_after_a_restart(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    drafted(qtbot, app, state)
    state.accept()
    assert state.page is not None
    before = state.page.document
    app.close()
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    open_paths(qtbot, again, dicom("CT_small.dcm"))
    page = again.desk.report.page
    assert page is not None
    assert (page.document, page.status) == (before, "1 proposal open")
    again.close()
    again.window.deleteLater()


def test_damaged_marks_are_told_when_the_study_is_opened_and_before_signing(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    drafted(qtbot, app, state)
    state.accept()
    state.dismiss()
    app.close()
    with sqlite3.connect(tmp_path / "workspace" / DATABASE) as db:
        db.execute("UPDATE reports SET document = 'nul'")
    db.close()
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    open_paths(qtbot, again, dicom("CT_small.dcm"))
    told = again.desk.messages.message
    assert told is not None
    assert told.text.endswith("is unknown. Check every sentence before you sign.")
    assert again.window.report_panel.editor.toPlainText() == HEART
    assert LOST in again.desk.report.copy_text()
    question = again.desk.report.ask_to_sign()
    assert question is not None
    assert question.notes[1].startswith(LOST)
    again.close()
    again.window.deleteLater()


PLAIN_KEYS = (*range(Qt.Key.Key_A, Qt.Key.Key_Z + 1), *range(Qt.Key.Key_0, Qt.Key.Key_9 + 1), Qt.Key.Key_Delete)
EDITING_KEYS = (Qt.Key.Key_Z, Qt.Key.Key_Y, Qt.Key.Key_X, Qt.Key.Key_V)


@pytest.mark.parametrize("signed", [False, True], ids=["open", "signed"])
def test_a_key_pressed_in_a_report_does_nothing_to_the_images(
    qtbot: QtBot, app: App, state: ReportState, signed: bool
) -> None:
    drafted(qtbot, app, state)
    state.accept()
    state.accept()
    if signed:
        sign(app)
        settle(qtbot, app)
    run: list[str] = []
    for name, action in app.actions.actions.items():
        action.triggered.connect(lambda _, name=name: run.append(name))
    panel = app.window.report_panel
    for widget in (panel.editor, panel.tree):
        for keys, modifier in ((PLAIN_KEYS, Qt.KeyboardModifier.NoModifier), (EDITING_KEYS, CONTROL)):
            for key in keys:
                focus(qtbot, app, widget)
                qtbot.keyClick(widget, Qt.Key(key), modifier)
    assert run == []
    qtbot.keyClick(panel.editor, Qt.Key.Key_S, CONTROL)
    assert run == ["save_report"]  # commands still work
    if signed:
        assert state.page is not None
        assert state.page.text == f"{HEART} {EFFUSION}"


def test_a_signed_report_takes_an_addendum(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit("Normal.")
    sign(app)
    settle(qtbot, app)
    panel = app.window.report_panel
    assert panel.draft.isHidden()
    panel.add.click()
    focus(qtbot, app, panel.addendum)
    qtbot.keyClicks(panel.addendum, "A nodule.")
    assert panel.editor.toPlainText() == "Normal."
    question = state.ask_to_sign()
    assert question is not None
    assert question.title == "Sign addendum"
    sign(app, "Bob")
    settle(qtbot, app)
    assert panel.addendum.isHidden()
    report, _, head, added = panel.editor.toPlainText().split("\n")
    assert (report, added) == ("Normal.", "A nodule.")
    assert head.startswith("Addendum, Bob, ")
    assert "A nodule." in state.copy_text()
    assert state.can_begin_addendum


def test_what_is_signed_is_what_was_asked_about(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    assert state.ask_to_sign() is None
    assert state.why_not_sign() == "Accept, edit or dismiss each proposal first."
    state.accept()
    state.dismiss()
    question = state.ask_to_sign()
    assert question is not None
    assert question.notes[1].startswith("100 % of its words are unchanged machine wording.")
    state.edit(f"{HEART} Many more words that a person wrote.")
    assert not question.still_holds
    question = state.ask_to_sign()
    assert question is not None
    assert len(question.notes) == 1


def test_reviewing_goes_on_with_the_next_open_proposal_after_one_was_edited(
    qtbot: QtBot, app: App, state: ReportState
) -> None:
    drafted(qtbot, app, state)
    assert state.page is not None
    state.edit_selected()
    assert state.page.selected == 0
    app.actions.actions["review_proposals"].trigger()
    assert state.page.selected == 1
    state.dismiss()
    app.actions.actions["review_proposals"].trigger()
    assert state.page.selected == 0
