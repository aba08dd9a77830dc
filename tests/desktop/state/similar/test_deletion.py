"""The selected case, or its patient, is deleted after a question, and leaves the hits."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.similar.query import SearchForm
from engine.archive import Archive
from engine.bundle import Bundle
from engine.importing.importer import import_path
from tests.desktop.conftest import settle


@pytest.fixture
def ready(qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle) -> App:
    """The app with hits in an archive of three cases, two of them of one patient."""
    table = tmp_path / "reports.csv"
    table.write_text("id,text,patient_id\nA,Pleural effusion.,P1\nB,Large effusion.,P2\nC,Small effusion.,P1\n")
    with Archive.create(tmp_path / "archive") as archive:
        import_path(archive, starter_bundle, table)
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(tmp_path / "archive")
    settle(qtbot, app)
    app.desk.search.set_form(SearchForm(text="Pleural effusion."))
    app.desk.search.search()
    settle(qtbot, app)
    return app


def answer(qtbot: QtBot, app: App, command: str, button: QMessageBox.StandardButton) -> str:
    app.actions.actions[command].trigger()
    settle(qtbot, app)
    box = app.window.findChild(QMessageBox)
    assert box is not None
    question = box.text()
    box.button(button).click()
    settle(qtbot, app)
    return question


def test_a_case_and_a_patient_are_deleted_after_a_question(qtbot: QtBot, ready: App) -> None:
    desk = ready.desk
    assert desk.search.selected is not None
    assert desk.search.selected.case_id == 1
    answer(qtbot, ready, "delete_case", QMessageBox.StandardButton.No)
    assert len(desk.search.hits) == 3
    question = answer(qtbot, ready, "delete_patient", QMessageBox.StandardButton.Yes)
    assert "Delete 2 cases (1, 3) from archive?" in question
    assert [hit.case_id for hit in desk.search.hits] == [2]
    assert desk.archive.stats["cases"] == 1
    answer(qtbot, ready, "delete_case", QMessageBox.StandardButton.Yes)
    assert desk.search.hits == []
    assert not ready.actions.actions["delete_case"].isEnabled()


def test_the_question_names_the_first_cases_of_many(qtbot: QtBot, ready: App, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = ready.desk.archive.archive
    assert archive is not None
    monkeypatch.setattr(archive, "cases_of_same_patient", lambda case_id: list(range(1, 1001)))
    question = answer(qtbot, ready, "delete_patient", QMessageBox.StandardButton.No)
    assert "Delete 1,000 cases (1, 2, 3, 4, 5, ...) from archive?" in question


def test_a_case_that_is_gone_leaves_the_hits_also_when_its_traces_stay(
    qtbot: QtBot, ready: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ready.desk.archive.archive
    assert archive is not None
    monkeypatch.setattr(archive._database, "empty_log", lambda: False)
    answer(qtbot, ready, "delete_case", QMessageBox.StandardButton.Yes)
    assert [hit.case_id for hit in ready.desk.search.hits] == [2, 3]
    assert ready.desk.messages.message is not None
    assert "may hold traces of them until it is opened again" in ready.desk.messages.message.text
