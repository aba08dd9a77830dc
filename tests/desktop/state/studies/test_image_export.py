"""The anonymised export of the selected study in the app: a ZIP file or a folder, told in a sentence."""

from pathlib import Path

import pytest
from pydicom import dcmread
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.image_export import CANCELLED, LISTED
from engine.errors import UserError
from engine.reports.workspace import Workspace
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive


def said(app: App) -> str:
    return app.desk.messages.message.text if app.desk.messages.message else ""


def test_a_study_is_exported_as_a_zip_file_or_a_folder(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    assert not app.desk.image_export.can_export
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.image_export.export(tmp_path / "ct", as_zip=True)
    settle(qtbot, app)
    assert said(app) == "Exported 1 anonymised image to ct.zip."
    app.desk.image_export.export(tmp_path / "ct", as_zip=False)
    settle(qtbot, app)
    assert said(app) == "Exported 1 anonymised image to ct."
    assert (tmp_path / "ct" / "DICOMDIR").is_file()
    (image,) = (tmp_path / "ct").rglob("IM*")
    assert dcmread(image).PatientName == "Anonymous"
    with pytest.raises(UserError, match=r"ct\.zip exists already"):
        app.desk.image_export.export(tmp_path / "ct", as_zip=True)


def test_refused_images_are_counted_with_their_reason_and_listed(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive(tmp_path / "study" / "a.dcm")
    derive(tmp_path / "study" / "b.dcm", InstanceNumber=2, SOPClassUID="1.2.3.4.5")
    open_paths(qtbot, app, tmp_path / "study")
    app.desk.image_export.export(tmp_path / "out", as_zip=False)
    settle(qtbot, app)
    assert said(app).startswith("Exported 1 anonymised image to out; 1 file was refused: Its SOP class is private")
    assert said(app).endswith(f"is not known. {LISTED}")
    assert [Path(one.path).name for one in app.desk.studies.rejected] == ["b.dcm"]


def test_a_cancelled_export_says_so_and_leaves_nothing(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.image_export.export(tmp_path / "ct", as_zip=True)
    app.desk.jobs.cancel_current()
    settle(qtbot, app)
    assert said(app) == CANCELLED
    assert list(tmp_path.glob("*ct*")) == []


def test_an_export_is_audited_once_it_was_written_and_not_when_it_was_asked_for(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    def exported() -> list[str]:
        with Workspace.open(tmp_path / "workspace") as workspace:
            return [str(row["study_uid"]) for row in workspace.audit() if row["state"] == "exported"]

    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.image_export.export(tmp_path / "ct", as_zip=True)
    app.desk.jobs.cancel_current()
    settle(qtbot, app)
    assert exported() == []
    app.desk.image_export.export(tmp_path / "ct", as_zip=True)
    settle(qtbot, app)
    study = app.desk.studies.study
    assert study is not None
    assert exported() == [study.uid]
