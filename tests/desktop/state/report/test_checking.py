"""Open checks are shown for the report on screen, and signing asks about them."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.report.report import REQUIRED, ReportState
from desktop.views.report.sign_dialog import SignDialog
from engine.archive import Archive
from engine.errors import UserError
from engine.reports.document import Document
from engine.reports.insertion import taken_over
from engine.reports.links import Link
from engine.store.case import NewCase, NewReport
from tests.desktop.conftest import dicom, open_paths, settle, sign

FIELD = Document("Findings: [Findings]", links=(Link(10, 20, "field", "Findings", "[Findings]", rule="required"),))


def messages(app: App) -> list[str]:
    return [check.message for check in app.desk.checking.checks]


def test_the_text_is_checked_against_the_header_of_the_open_study(qtbot: QtBot, app: App, state: ReportState) -> None:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    study = app.desk.studies.study
    assert study is not None
    assert study.patient.sex == "F"
    state.edit("The uterus is normal. The prostate is enlarged.")
    assert messages(app) == ['The text says "prostate", the header "female".']


def test_a_check_is_listed_in_the_panel_and_enter_selects_its_place(qtbot: QtBot, app: App, state: ReportState) -> None:
    document, _ = taken_over(Document("Heart normal."), 13, ["Nodule of 5 mm."], "case 7")
    state.change(document)
    listed = app.window.report_panel.checks
    qtbot.waitUntil(lambda: listed.count() == 1)
    app.actions.actions["review_checks"].trigger()
    qtbot.keyClick(listed, "\r")
    assert app.window.report_panel.editor.textCursor().selectedText() == "5 mm"
    qtbot.keyClick(listed, " ")
    assert messages(app) == []
    state.undo()
    assert len(messages(app)) == 1


def test_a_required_field_blocks_signing_until_it_is_filled(qtbot: QtBot, app: App, state: ReportState) -> None:
    state.change(FIELD)
    app.window.report_panel.ask_to_sign()
    dialog = app.window.findChild(SignDialog)
    assert dialog is not None
    assert not dialog.sign.isEnabled()
    dialog.reject()
    with pytest.raises(UserError, match=REQUIRED):
        sign(app)
    state.edit("Findings: normal")
    sign(app)
    settle(qtbot, app)
    assert state.page is not None
    assert state.page.signed


def test_a_report_with_a_warning_is_signed_after_asking(qtbot: QtBot, app: App, state: ReportState) -> None:
    state.change(taken_over(Document(), 0, ["Nodule of 5 mm."], "case 7")[0])
    app.window.report_panel.ask_to_sign()
    dialog = app.window.findChild(SignDialog)
    assert dialog is not None
    assert dialog.sign.text() == "Sign with 1 open check"
    assert not dialog.sign.isDefault()
    dialog.name.setText("Ada Byron")
    dialog.accept()
    settle(qtbot, app)
    assert state.page is not None
    assert state.page.signed
    assert app.desk.checking.checks == ()


def test_a_comparison_is_checked_against_the_open_archive(
    qtbot: QtBot, app: App, state: ReportState, tmp_path_factory: pytest.TempPathFactory
) -> None:
    study = app.desk.studies.study
    assert study is not None
    app.desk.archive.bundle = None  # the double has no name to show beside an archive
    state.edit("The nodule is unchanged.")
    assert messages(app) == []  # nothing is known without an archive
    folder = tmp_path_factory.mktemp("archives")
    with Archive.create(folder / "later", "double") as archive:
        report = NewReport("Nodule.", np.eye(1, 8, dtype=np.float32)[0])
        archive.add_case(NewCase("later", patient=study.patient.id, date="20300101", report=report))
    with Archive.create(folder / "full", "double") as archive:
        vector = np.eye(1, 8, dtype=np.float32)[0]
        archive.add_case(NewCase("earlier", patient=study.patient.id, report=NewReport("Nodule.", vector)))
    app.desk.archive.open(folder / "later")
    settle(qtbot, app)
    assert len(messages(app)) == 1
    app.desk.archive.open(folder / "full")
    settle(qtbot, app)
    assert messages(app) == []


def test_a_check_that_was_asked_for_at_once_and_mended_at_once_leaves_the_panel(
    qtbot: QtBot, app: App, state: ReportState
) -> None:
    listed = app.window.report_panel.checks
    state.edit("The left middle lobe is clear.")
    review = app.actions.actions["review_checks"]
    qtbot.waitUntil(review.isEnabled)
    review.trigger()
    assert listed.count() == 1
    state.edit("The right middle lobe is clear.")
    qtbot.waitUntil(listed.isHidden)
