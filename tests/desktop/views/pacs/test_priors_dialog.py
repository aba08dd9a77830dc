"""From the study on screen to its priors in a real PACS, in the real window."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from benchmarks._pacs_servers import Server
from desktop.app import App
from desktop.state.pacs.priors import CANCELLED, NONE
from desktop.views.pacs.priors_dialog import PacsPriorsDialog
from engine.pacs.address import Pacs
from engine.pacs.address_book import add
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.pacs.pacs_studies import PATIENT, Studies


@pytest.fixture
def with_pacs(app: App, orthanc: Server, tmp_path: Path) -> App:
    """The app with a PACS."""
    add(Pacs("Radiology", url=f"http://127.0.0.1:{orthanc.http}/dicom-web"), tmp_path / "workspace")
    return app


@pytest.fixture
def asked(qtbot: QtBot, with_pacs: App, studies: Studies) -> App:
    """The middle study is on screen, and its priors are listed."""
    open_paths(qtbot, with_pacs, studies.files_of(studies.middle)[0].parent)
    ask(qtbot, with_pacs)
    return with_pacs


def ask(qtbot: QtBot, app: App) -> PacsPriorsDialog:
    app.actions.actions["find_priors"].trigger()
    settle(qtbot, app)
    return dialog_of(app)


def dialog_of(app: App) -> PacsPriorsDialog:
    dialog = app.window.dialogs.pacs_priors
    assert dialog is not None
    return dialog


def cells(dialog: PacsPriorsDialog) -> list[list[str]]:
    return [[item.text(column) for column in range(5)] for item in dialog._items()]


def check(dialog: PacsPriorsDialog, *rows: int) -> None:
    for row in rows:
        dialog._items()[row].setCheckState(0, Qt.CheckState.Checked)


def open_uids(app: App) -> set[str]:
    return {study.uid for study in app.desk.studies.studies}


def test_without_a_pacs_priors_cannot_be_found(qtbot: QtBot, app: App, studies: Studies) -> None:
    open_paths(qtbot, app, studies.files_of(studies.middle)[0])
    assert not app.actions.actions["find_priors"].isEnabled()
    assert app.actions.actions["pacs_settings"].isEnabled()


def test_priors_are_listed_newest_first_with_what_to_check(asked: App) -> None:
    dialog = dialog_of(asked)
    assert cells(dialog) == [
        ["2024-05-01 08:00", "MR", "Kopf Schädel", "3", "Later study"],
        ["2019-01-01 12:00", "CT", "Abdomen", "1", "Other birth date: check the patient"],
    ]
    assert dialog.line.text() == "2 other studies of this patient."
    assert PATIENT in dialog.patient.text()


def test_a_chosen_prior_is_retrieved_opened_and_hung_beside_the_current_image(
    qtbot: QtBot, asked: App, studies: Studies, tmp_path: Path
) -> None:
    desk, dialog = asked.desk, dialog_of(asked)
    check(dialog, 0)
    dialog.retrieve.click()
    settle(qtbot, asked)
    assert open_uids(asked) == {studies.middle, studies.newest}
    assert [one.study.uid for one in desk.layout.viewports if one.study] == [studies.middle, studies.newest]
    assert desk.layout.of_study.study is not None
    assert desk.layout.of_study.study.uid == studies.middle
    assert len([*(tmp_path / "workspace" / "pacs" / studies.newest).iterdir()]) == 3
    assert cells(dialog)[0][4] == "Open · Later study"
    assert not dialog.checked


def test_without_a_check_mark_the_selected_prior_is_retrieved(qtbot: QtBot, asked: App, studies: Studies) -> None:
    dialog = dialog_of(asked)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Return)
    settle(qtbot, asked)
    assert open_uids(asked) == {studies.middle, studies.newest}


def test_a_prior_that_may_be_of_another_patient_is_opened_but_not_hung(
    qtbot: QtBot, asked: App, studies: Studies
) -> None:
    dialog = dialog_of(asked)
    check(dialog, 1)
    dialog.retrieve.click()
    settle(qtbot, asked)
    assert studies.oldest in {one.stated_uid or one.uid for one in asked.desk.studies.studies}
    assert len(asked.desk.layout.viewports) == 1


def test_cancel_keeps_what_was_retrieved_and_says_so(
    qtbot: QtBot, asked: App, studies: Studies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, dialog = asked.desk, dialog_of(asked)
    check(dialog, 0, 1)
    dialog.retrieve.click()
    assert [job.title for job in desk.jobs.jobs] == ["Retrieving 2 priors from Radiology"]
    assert not dialog.retrieve.isEnabled()
    desk.jobs.cancel_current()
    settle(qtbot, asked)
    assert desk.messages.message is not None
    assert desk.messages.message.text == CANCELLED
    dialog.retrieve.click()
    settle(qtbot, asked)
    assert {studies.middle, studies.newest} <= open_uids(asked)


def test_the_list_closes_when_another_patient_is_on_screen(qtbot: QtBot, asked: App) -> None:
    open_paths(qtbot, asked, dicom("MR_small.dcm"))
    qtbot.waitUntil(lambda: asked.window.dialogs.pacs_priors is None)


def test_hidden_patient_data_are_hidden_here_too(asked: App) -> None:
    dialog = dialog_of(asked)
    asked.actions.actions["hide_patient_data"].trigger()
    assert dialog.patient.text() == "Patient data hidden"
    asked.actions.actions["hide_patient_data"].trigger()
    assert PATIENT in dialog.patient.text()


def test_a_patient_whom_the_pacs_does_not_know_has_no_priors(qtbot: QtBot, with_pacs: App) -> None:
    open_paths(qtbot, with_pacs, dicom("MR_small.dcm"))
    dialog = ask(qtbot, with_pacs)
    assert dialog.line.text() == NONE
    assert not dialog.retrieve.isEnabled()


def test_a_pacs_that_is_away_is_said_in_the_list(
    qtbot: QtBot, app: App, orthanc: Server, studies: Studies, tmp_path: Path
) -> None:
    add(Pacs("Away", host="127.0.0.1", port=1, called="AWAY"), tmp_path / "workspace")
    add(Pacs("Radiology", url=f"http://127.0.0.1:{orthanc.http}/dicom-web"), tmp_path / "workspace")
    open_paths(qtbot, app, studies.files_of(studies.middle)[0])
    dialog = ask(qtbot, app)
    assert dialog.line.text().startswith("Nothing answers at AWAY")
    assert app.desk.messages.message is None
    dialog.pacs.setCurrentText("Radiology")
    dialog.pacs.textActivated.emit("Radiology")
    settle(qtbot, app)
    assert len(cells(dialog)) == 2
    dialog.close()
    assert ask(qtbot, app).pacs.currentText() == "Radiology"  # the one that was asked last
