"""The report of a study: edited, saved, signed, copied; and never moved to another study."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.background import Lane, as_work
from desktop.state.report.report import ReportState
from desktop.state.report.report_page import ReportPage
from desktop.state.report.report_store import SIGNED_ELSEWHERE, TEXT_IS_ADDENDUM
from engine.errors import UserError
from engine.facts.fact import values_of
from engine.reports.agreement import Contradiction, Evidence
from engine.reports.draft import NOTICE, Draft, Sentence
from engine.reports.workspace import ADDENDUM_SIGNED, OTHER_ADDENDUM, Workspace
from tests.desktop.conftest import dicom, open_paths, settle, sign
from tests.desktop.state.report.conftest import Decoder, drafted


def leave_while_drafting(qtbot: QtBot, app: App, state: ReportState, decoder: Decoder) -> ReportPage:
    """Go to another study while a draft is made, and let it come; the page that was left."""
    left = state.page
    assert left is not None
    app.desk.studies.open([dicom("MR_small.dcm")])
    qtbot.waitUntil(lambda: state.page is not left)
    decoder.gate.set()
    settle(qtbot, app)
    return left


def test_a_draft_is_made_by_the_facts_that_the_search_shows(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    drafted(qtbot, app, state)
    assert values_of(decoder.facts) == {"modality": "CT", "region": "limb", "view": "axial", "contrast": "with"}
    series = app.desk.viewport.series
    assert series is not None
    app.desk.search._corrections[series.key] = {"region": "abdomen", "contrast": ""}
    drafted(qtbot, app, state)
    assert values_of(decoder.facts) == {"modality": "CT", "region": "abdomen", "view": "axial"}


def test_a_draft_is_proposed_beside_the_text_and_stored(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    state.edit("My own words.")
    drafted(qtbot, app, state)
    assert state.page is not None
    assert (state.page.text, state.page.status) == ("My own words.", "2 proposals open")
    assert app.window.report_panel.editor.toPlainText() == "My own words."
    with Workspace.open(tmp_path / "workspace") as workspace:
        stored = workspace.load(state.page.study)
    assert stored is not None
    assert (stored.state, stored.document) == ("drafted", state.page.document)


def test_a_draft_stays_with_the_study_it_was_made_for(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    decoder.gate.clear()
    state.draft()
    first = leave_while_drafting(qtbot, app, state, decoder)
    assert state.page is not None
    assert state.page.text == ""
    assert app.window.report_panel.editor.toPlainText() == ""
    assert state.rows == ()
    assert len(first.rows) == 2
    app.desk.studies.step(-1)
    settle(qtbot, app)
    assert app.window.report_panel.tree.topLevelItemCount() == 2


def test_an_edit_is_saved_when_the_study_is_left(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit("Normal chest.")
    page = state.page
    assert page is not None
    assert page.status == "Edited, not saved"
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    with Workspace.open(tmp_path / "workspace") as workspace:
        stored = workspace.load(page.study)
    assert stored is not None
    assert stored.text == "Normal chest."


def test_a_signed_report_is_final(qtbot: QtBot, app: App, state: ReportState) -> None:
    state.edit("My own words.")
    sign(app)
    settle(qtbot, app)
    assert state.page is not None
    assert state.page.status == "Signed"
    state.edit("Something else")
    state.undo()
    assert state.page.text == "My own words."
    assert app.window.report_panel.editor.isReadOnly()
    assert "final" in state.why_no_draft()


def test_the_text_is_locked_while_a_report_is_being_signed(qtbot: QtBot, app: App, state: ReportState) -> None:
    gate = threading.Event()
    app.desk.background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.STORE)
    state.edit("No focal consolidation.")
    question = state.ask_to_sign()
    assert question is not None
    state.sign(question, "Ada Byron")
    with pytest.raises(UserError, match="signed in another window meanwhile"):
        state.sign(question, "Ada Byron")
    state.edit("No focal consolidation. Nodule in the left upper lobe.")
    assert state.page is not None
    assert (state.page.text, state.page.status) == ("No focal consolidation.", "Signing…")
    assert not state.can_sign
    assert app.window.report_panel.editor.isReadOnly()
    assert state.why_no_draft() == "This report is being signed."
    gate.set()
    settle(qtbot, app)
    assert state.page.status == "Signed"
    assert app.desk.messages.message is None


@pytest.mark.parametrize(
    ("how", "text"),
    [("sign", "Normal chest."), ("sign", "Normal chest. No effusion."), ("save", "Normal chest. No effusion.")],
)
def test_a_report_that_another_window_has_signed_is_shown_as_that(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path, how: str, text: str
) -> None:
    state.edit("Normal chest.")
    state.save()
    settle(qtbot, app)
    page = state.page
    assert page is not None
    with Workspace.open(tmp_path / "workspace") as other:
        other.sign(page.study, "Bob")
    state.edit(text)
    if how == "save":
        state.save()
    else:
        sign(app)
    settle(qtbot, app)
    assert (page.text, page.signed) == ("Normal chest.", True)
    assert app.window.report_panel.editor.isReadOnly()
    told = app.desk.messages.message
    assert told is not None
    lost = text != page.text
    assert told.text == SIGNED_ELSEWHERE + (TEXT_IS_ADDENDUM if lost else "")
    assert page.addendum == (text if lost else None)


@pytest.mark.parametrize("text", ["A nodule.", "No nodule."])
def test_an_addendum_that_another_window_has_signed_is_shown_and_not_added_twice(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path, text: str
) -> None:
    state.edit("Normal chest.")
    sign(app)
    settle(qtbot, app)
    page = state.page
    assert page is not None
    state.begin_addendum()
    state.edit_addendum(text)
    state.save()
    settle(qtbot, app)
    with Workspace.open(tmp_path / "workspace") as other:
        other.sign_addendum(page.study, "Bob", text="A nodule.", seen=0)
    sign(app)
    settle(qtbot, app)
    told = app.desk.messages.message
    assert told is not None
    assert told.text == (ADDENDUM_SIGNED if text == "A nodule." else OTHER_ADDENDUM)
    assert page.stored is not None
    assert [one.signed_by for one in page.stored.addenda] == ["Bob"]
    assert "A nodule." in page.shown_text
    assert page.addendum == (None if text == "A nodule." else text)
    state.save()
    settle(qtbot, app)
    with Workspace.open(tmp_path / "workspace") as other:
        stored = other.load(page.study)
    assert stored is not None
    assert stored.addendum == page.addendum


def test_a_report_that_could_not_be_signed_can_be_changed_and_signed_again(
    qtbot: QtBot, app: App, state: ReportState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("The disk is full; free some of it.")

    state.edit("Normal chest.")
    with monkeypatch.context() as full:
        full.setattr(Workspace, "sign", fail)
        sign(app)
        settle(qtbot, app)
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text == "The disk is full; free some of it."
    assert not app.window.report_panel.editor.isReadOnly()
    state.edit("Normal chest. No effusion.")
    sign(app)
    settle(qtbot, app)
    assert state.page is not None
    assert (state.page.text, state.page.status) == ("Normal chest. No effusion.", "Signed")


def test_nothing_is_signed_while_drafting_and_no_draft_enters_a_signed_report(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    state.edit("My own findings.")
    question = state.ask_to_sign()
    assert question is not None
    decoder.gate.clear()
    state.draft()
    assert not state.can_sign
    assert not app.window.report_panel.sign.isEnabled()
    with pytest.raises(UserError, match="Read it and sign again"):
        state.sign(question, "Ada Byron")
    left = leave_while_drafting(qtbot, app, state, decoder)
    assert (left.text, len(left.rows)) == ("My own findings.", 2)
    left.stored = replace(left.stored, state="signed")  # type: ignore[type-var]
    state._take_draft(left, "", decoder.proposed, "")
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text.startswith("The draft was discarded")


def test_an_image_that_cannot_be_displayed_is_not_taken_for_a_missing_study(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(dicom("MR_small_RLE.dcm").read_bytes()[:-2000])
    open_paths(qtbot, app, cut)
    assert app.desk.viewport.failure
    assert state.why_no_draft().startswith("The current image cannot be displayed.")


def test_a_report_is_there_again_after_a_restart(qtbot: QtBot, app: App, state: ReportState, tmp_path: Path) -> None:
    state.edit("Seen before.")
    state.save()
    settle(qtbot, app)
    again = ReportState(
        app.desk.background, app.desk.studies, app.desk.viewport, app.desk.archive, folder=tmp_path / "workspace"
    )
    again.open_workspace()
    app.desk.studies.selected.emit()
    settle(qtbot, app)
    assert again.page is not None
    assert again.page.text == "Seen before."
    again.close()


def test_a_copy_carries_the_research_notice(qtbot: QtBot, app: App, state: ReportState) -> None:
    assert state.copy_text() == ""
    drafted(qtbot, app, state)
    assert state.copy_text() == ""  # a proposal is not part of the report
    state.accept()
    state.edit(f"{state.page.text} Own.")  # type: ignore[union-attr]
    text, marks = state.copy_text().split(f"({NOTICE})")
    assert text.strip() == "The heart is enlarged. Own."
    assert marks.strip().splitlines() == [
        'Accepted unchanged, from a draft: "The heart is enlarged."',
        "Everything else: own words.",
    ]
    app.window.report_panel.copy.click()
    assert QGuiApplication.clipboard().text() == state.copy_text()


def test_the_sentence_at_the_cursor_is_selected(qtbot: QtBot, app: App, state: ReportState) -> None:
    drafted(qtbot, app, state)
    assert state.page is not None
    state.accept()
    state.accept()
    state.select_at(state.page.text.index("effusion"))
    assert state.page.selected == 1
    tree = app.window.report_panel.tree
    assert tree.indexOfTopLevelItem(tree.currentItem()) == 1
    state.select_at(3)
    assert tree.indexOfTopLevelItem(tree.currentItem()) == 0
    assert tree.topLevelItem(0).childCount() == 1


def test_an_empty_draft_says_why_and_keeps_the_text(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    decoder.proposed = Draft((), "double", reason="This image is almost blank.", silence="blank")
    state.edit("My own words")
    drafted(qtbot, app, state)
    assert state.page is not None
    assert state.page.text == "My own words"
    panel = app.window.report_panel
    assert panel.notes.text() == "This image is almost blank."
    assert panel.tree.isHidden()


def test_an_empty_draft_keeps_what_the_text_of_the_one_before_rests_on(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    drafted(qtbot, app, state)
    assert state.page is not None
    before = state.page.document
    decoder.proposed = Draft((), "double", reason="This image is almost blank.", silence="blank")
    drafted(qtbot, app, state)
    assert state.page.document == before
    assert app.window.report_panel.notes.text() == "This image is almost blank."


def test_a_copied_sentence_names_its_case_and_its_contradictions(
    qtbot: QtBot, app: App, state: ReportState, decoder: Decoder
) -> None:
    against = Contradiction(9, "No effusion.", "negation")
    taken = Sentence("Large effusion.", None, (Evidence(4, "A large effusion.", 0.9),), 7, (against,))
    decoder.proposed = Draft((taken,), "double")
    drafted(qtbot, app, state)
    top = app.window.report_panel.tree.topLevelItem(0)
    assert "One similar report contradicts this · From case 7 · 1 report with the same finding" in top.text(0)
    assert [top.child(row).text(0) for row in range(2)] == [
        "Case 4 has the same finding: A large effusion.",
        "Case 9 contradicts this (negation): No effusion.",
    ]
