"""A preview of an import in the real window: counts and lists, and nothing is imported."""

from pathlib import Path

from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.app import App
from tests.desktop.conftest import settle
from tests.engine.dicom_samples import derive
from tests.engine.importing.test_report_files import ORU


def test_a_preview_says_what_would_be_joined(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    folder = tmp_path / "studies"
    derive(folder / "image.dcm", "CT_small.dcm", AccessionNumber="ACC-7", PatientID="P-17", PatientSex="M")
    (folder / "report.hl7").write_text(ORU.replace("1.2.826.0.1.22", "none"), newline="")
    app.desk.archive.create(tmp_path / "archive")
    settle(qtbot, app)
    app.desk.archive.preview_import(folder)
    settle(qtbot, app)
    box = app.window.findChild(QMessageBox)
    assert box is not None
    assert "1 case with images. Reports and studies: 1 matched" in box.text()
    assert "Accession Number" in box.detailedText()
    assert app.desk.archive.archive is not None
    assert app.desk.archive.archive.stats()["cases"] == 0
