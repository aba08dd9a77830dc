"""No report is shown with another patient's study, though both have one Study Instance UID."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.dicom.identity import SHARED_UID
from tests.desktop.conftest import open_paths, settle
from tests.engine.dicom_samples import derive


def test_a_report_stays_with_its_patient_when_another_study_has_the_uid(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    desk = app.desk
    for name, patient in (("anna", "Alpha^Anna"), ("bert", "Beta^Bert")):
        derive(tmp_path / name, "CT_small.dcm", PatientName=patient, PatientID=patient[:1], StudyInstanceUID="1.2.3")
    open_paths(qtbot, app, tmp_path / "anna")
    desk.report.edit("Anna's effusion.")
    desk.report.save()
    settle(qtbot, app)
    shown = []
    for name in ("bert", "anna"):
        desk.studies.close_all()
        open_paths(qtbot, app, tmp_path / name)
        assert desk.report.page is not None
        assert desk.studies.study is not None
        shown.append((desk.report.page.text, desk.studies.study.warning))
    assert shown == [("", SHARED_UID), ("Anna's effusion.", SHARED_UID)]
