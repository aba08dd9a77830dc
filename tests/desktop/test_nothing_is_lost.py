"""Drawings and reports are stored even if the workspace opens late, is damaged or fails, and when the app closes."""

import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.background import Lane, as_work
from desktop.state.measure.measurements import new_measurement
from engine.errors import UserError
from engine.measure.measurements import Measurement
from engine.reports.workspace import Workspace
from tests.desktop.conftest import dicom, open_paths, settle, sign

STUDY = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"


def draw(app: App, end: float = 5.0) -> Measurement:
    begun = new_measurement(app.desk.viewport, "length")
    assert begun is not None
    made = begun.with_points([(1.0, 1.0), (5.0, end)])
    app.desk.measurements.add(made)
    return made


def kept(folder: Path) -> list[str]:
    with Workspace.open(folder) as workspace:
        return [one["id"] for one in workspace.load_marks(STUDY, "measurements")]


def damage(folder: Path) -> None:
    with Workspace.open(folder) as workspace:
        workspace.save_marks(STUDY, "measurements", [])
        with workspace._database.write() as db:
            db.execute("UPDATE marks SET marks = '[[1,'")


def test_damaged_measurements_are_set_aside_and_new_ones_kept(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    damage(tmp_path / "workspace")
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert app.desk.messages.message is not None
    assert "are damaged and were set aside" in app.desk.messages.message.text
    drawn = [draw(app, end) for end in (5.0, 6.0)]
    settle(qtbot, app)
    assert kept(tmp_path / "workspace") == [one.id for one in drawn]
    with Workspace.open(tmp_path / "workspace") as workspace:
        rows = workspace._database.read("SELECT marks FROM marks WHERE kind LIKE 'measurements, damaged%'")
    assert rows == [("[[1,",)]


def test_measurements_that_could_not_be_read_are_merged_later(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("The disk is not there; put it back.")

    with Workspace.open(tmp_path / "workspace") as workspace:
        workspace.save_marks(STUDY, "measurements", [{"id": "stored"}])
    with monkeypatch.context() as broken:
        broken.setattr(Workspace, "load_marks", fail)
        open_paths(qtbot, app, dicom("CT_small.dcm"))
    made = draw(app)
    settle(qtbot, app)
    assert kept(tmp_path / "workspace")[-1] == made.id


def test_measurements_drawn_before_the_workspace_is_open_are_stored_after_their_study_is_closed(
    qtbot: QtBot, unopened: App, tmp_path: Path
) -> None:
    open_paths(qtbot, unopened, dicom("CT_small.dcm"))
    made = draw(unopened)
    unopened.desk.studies.close_all()
    unopened.desk.report.open_workspace()
    settle(qtbot, unopened)
    assert kept(tmp_path / "workspace") == [made.id]


def test_a_report_is_stored_even_if_storing_measurements_fails(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("The disk is full; free some of it.")

    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.report.edit("Nodule in the left upper lobe.")
    monkeypatch.setattr(Workspace, "save_marks", fail)
    draw(app)
    with pytest.raises(UserError, match="full"):
        app.desk.close()
    with Workspace.open(tmp_path / "workspace") as workspace:
        stored = workspace.load(STUDY)
    assert stored is not None
    assert stored.text == "Nodule in the left upper lobe."


def test_a_report_that_is_being_signed_is_stored_when_the_app_is_closed(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    gate = threading.Event()
    app.desk.background.start(as_work(gate.wait, 20), lambda _: None, lane=Lane.STORE)
    app.desk.report.edit("Nodule in the left upper lobe.")
    sign(app)
    gate.set()
    app.desk.close()
    with Workspace.open(tmp_path / "workspace") as workspace:
        stored = workspace.load(STUDY)
    assert stored is not None
    assert stored.text == "Nodule in the left upper lobe."
