"""Signing in the real window: the report becomes an archived case, now or when an archive is opened."""

import re
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.views.report.sign_dialog import SignDialog
from engine.archive import Archive
from engine.bundle import Bundle
from engine.reports.workspace import Workspace
from engine.store.case import NewCase, NewReport
from engine.text.deidentify import WARNING
from tests.desktop.conftest import dicom, open_paths, settle

TEXT = "CompressedSamples shows a calcified granuloma of the spleen."  # the family name in CT_small.dcm comes first


@pytest.fixture
def ready(qtbot: QtBot, app: App, starter_bundle: Bundle) -> App:
    """The app with models and a CT study, and no archive."""
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    return app


def new_archive(qtbot: QtBot, app: App, folder: Path) -> Archive:
    app.desk.archive.create(folder)
    settle(qtbot, app)
    assert app.desk.archive.archive is not None
    return app.desk.archive.archive


def write_and_sign(qtbot: QtBot, app: App, text: str = TEXT) -> None:
    editor = app.window.report_panel.editor
    editor.setFocus()
    qtbot.keyClicks(editor, text)
    app.window.report_panel.sign.click()
    dialog = app.window.findChild(SignDialog)
    assert dialog is not None
    dialog.name.setText("Ada Byron")
    dialog.sign.click()
    settle(qtbot, app)


def message_text(app: App) -> str:
    assert app.desk.messages.message is not None
    return app.desk.messages.message.text


def test_sign_archives_the_report_with_its_image_and_says_so(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    archive = new_archive(qtbot, ready, tmp_path / "archive")
    write_and_sign(qtbot, ready)
    case = archive.case(1)
    assert case.report is not None
    assert (case.report.text, case.report.state) == ("[name] shows a calcified granuloma of the spleen.", "signed")
    assert (case.modality, len(case.images)) == ("CT", 1)
    assert message_text(ready).startswith(
        "Signed report archived as case 1 in archive, with its image; 1 identifier removed."
    )
    assert WARNING in message_text(ready)
    panel = ready.window.report_panel
    assert panel.status.text() == "Signed"
    assert re.fullmatch(
        r"Signed, Ada Byron, \d{4}-\d\d-\d\d \d\d:\d\d\. Archived as case 1 in archive, de-identified\.",
        panel.notes.text(),
    )
    assert panel.editor.isReadOnly()
    assert ready.desk.archive.stats["cases"] == 1


def test_the_signed_case_is_found_by_search_from_another_study(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    new_archive(qtbot, ready, tmp_path / "archive")
    write_and_sign(qtbot, ready)
    ready.desk.search.search_image()
    settle(qtbot, ready)
    assert ready.desk.search.hits == []  # a study never finds itself
    open_paths(qtbot, ready, dicom("MR_small.dcm"))
    panel = ready.window.search_panel
    panel.with_image.setChecked(False)
    panel.text.setText("calcified granuloma of the spleen")
    ready.desk.search.search()
    settle(qtbot, ready)
    assert [hit.case_id for hit in ready.desk.search.hits] == [1]


def test_a_report_signed_without_an_archive_waits_and_goes_into_the_next(
    qtbot: QtBot, ready: App, tmp_path: Path
) -> None:
    write_and_sign(qtbot, ready)
    panel = ready.window.report_panel
    assert panel.status.text() == "Signed"
    assert "until an open archive takes it" in panel.notes.text()
    assert ready.desk.messages.message is None
    archive = new_archive(qtbot, ready, tmp_path / "later")
    assert archive.case(1).report is not None
    assert panel.notes.text().endswith("Archived as case 1 in later, de-identified.")


def test_reports_waiting_when_the_app_ends_are_archived_after_a_restart(
    qtbot: QtBot, ready: App, tmp_path: Path, starter_bundle: Bundle
) -> None:
    write_and_sign(qtbot, ready)
    ready.close()
    again = build(tmp_path / "workspace")
    again.desk.archive._open_bundle = lambda path: starter_bundle
    again.desk.begin()
    settle(qtbot, again)
    archive = new_archive(qtbot, again, tmp_path / "tomorrow")
    assert archive.stats()["reports"] == 1
    again.close()
    again.window.deleteLater()


def test_nobody_signs_with_the_name_of_who_read_before(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    write_and_sign(qtbot, ready)
    open_paths(qtbot, ready, dicom("MR_small.dcm"))
    ready.desk.report.edit("Normal brain.")
    ready.desk.report.save()
    settle(qtbot, ready)
    page = ready.desk.report.page
    assert page is not None
    with Workspace.open(tmp_path / "workspace") as workspace:
        assert [row.who for row in workspace.history(page.study)] == [""]  # the account, not Ada
    ready.window.report_panel.sign.click()
    dialog = ready.window.findChild(SignDialog)
    assert dialog is not None
    assert dialog.name.text() == ""
    assert not dialog.sign.isEnabled()
    names = dialog.name.completer()
    names.setCompletionPrefix("ada b")
    assert names.currentCompletion() == "Ada Byron"
    qtbot.keyClicks(dialog.name, "Ada Byron")
    assert not names.popup().isVisible()  # it would take the Return that signs
    dialog.reject()


def test_the_warning_about_de_identification_comes_once(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    new_archive(qtbot, ready, tmp_path / "archive")
    write_and_sign(qtbot, ready)
    open_paths(qtbot, ready, dicom("MR_small.dcm"))
    write_and_sign(qtbot, ready, "Normal brain.")
    assert message_text(ready).startswith("Signed report archived as case 2")
    assert WARNING not in message_text(ready)


def test_an_archive_of_other_models_refuses_and_the_report_is_kept(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    with Archive.create(tmp_path / "foreign", "0123456789abcdef") as foreign:
        foreign.add_case(NewCase("1.2.3", report=NewReport("Normal chest.", np.ones(8, np.float32))))
    ready.desk.archive.open(tmp_path / "foreign")
    settle(qtbot, ready)
    write_and_sign(qtbot, ready)
    assert message_text(ready).startswith("A signed report is stored on this computer but could not be archived.")
    assert "until an open archive takes it" in ready.window.report_panel.notes.text()


def test_a_study_that_was_imported_gets_the_signed_report(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    archive = new_archive(qtbot, ready, tmp_path / "archive")
    ready.desk.archive.import_into(dicom("CT_small.dcm"))
    settle(qtbot, ready)
    write_and_sign(qtbot, ready)
    assert archive.stats()["cases"] == 1
    assert archive.case(1).report is not None
    assert "(study already archived)" in message_text(ready)
