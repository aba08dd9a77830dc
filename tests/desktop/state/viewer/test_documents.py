"""Documents in the real window: listed with their study, read in a window, shown on the images."""

from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import generate_uid
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.browser import row_text
from desktop.state.viewer.geometry import to_screen
from desktop.views.studies.document_window import HIDDEN, DocumentWindow
from desktop.views.viewer.export_image import render_viewport
from engine.dicom.documents.document import StudyDocument
from tests.desktop.conftest import open_paths, settle
from tests.engine.dicom.documents.samples import (
    PDF,
    encapsulated_pdf,
    presentation_state,
    segmentation,
    structured_report,
)
from tests.engine.dicom_samples import derive, derive_stack

MASKS = np.zeros((3, 128, 128), bool)
MASKS[1, 40:60, 70:100] = True


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three slices with a document of each kind."""
    made = tmp_path / "study"
    stack = derive_stack(made, [0.0, 5.0, 10.0], FrameOfReferenceUID=generate_uid())
    structured_report(made / "report.dcm", stack[0])
    encapsulated_pdf(made / "pdf.dcm", stack[0])
    presentation_state(made / "state.dcm", stack[1])
    segmentation(made / "seg.dcm", stack, MASKS)
    return made


def document(app: App, kind: str) -> StudyDocument:
    return next(one for one in app.desk.studies.documents.values() if one.kind == kind)


def open_document(qtbot: QtBot, app: App, kind: str) -> None:
    app.desk.documents.open(document(app, kind))
    settle(qtbot, app)


def titles(app: App) -> list[str]:
    return [row_text(row, True)[0] for row in app.window.series_list.model.rows]


def pixels(app: App) -> bytes:
    return bytes(render_viewport(app.desk).constBits())


def test_documents_are_listed_below_the_series_of_their_study(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder)
    assert app.desk.studies.rejected == []
    assert sorted(titles(app)[3:]) == ["Diagnostic Imaging Report", "Mass in the spleen", "Outside report", "Spleen"]
    app.desk.studies.close_all()
    assert titles(app) == []


def test_documents_without_open_images_have_a_study_of_their_own(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder / "report.dcm", folder / "state.dcm")
    assert titles(app)[2:] == ["Diagnostic Imaging Report", "Mass in the spleen"]
    assert row_text(app.window.series_list.model.rows[1], True)[1] == "No images open"
    open_document(qtbot, app, "presentation state")
    assert "Open the whole study" in app.desk.messages.message.text  # type: ignore[union-attr]
    open_paths(qtbot, app, folder)
    assert titles(app).count("Mass in the spleen") == 1


def test_a_document_of_another_patient_with_the_same_study_uid_stands_apart(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    images = derive(tmp_path / "a.dcm", "CT_small.dcm", StudyInstanceUID="1.2.3")
    other = derive(
        tmp_path / "other" / "b.dcm", "CT_small.dcm", StudyInstanceUID="1.2.3", PatientName="Other^One", PatientID="9"
    )
    structured_report(tmp_path / "report.dcm", other)
    open_paths(qtbot, app, images, tmp_path / "report.dcm")
    rows = app.window.series_list.model.rows
    (row,) = (row for row in rows if row.document)
    assert (row.study.patient.id, row.study.series) == ("9", ())


def test_a_report_opens_in_a_window_and_is_hidden_with_patient_data(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder)
    open_document(qtbot, app, "report")
    window = app.window.findChild(DocumentWindow)
    assert window is not None
    assert "Diameter: 12.5 mm" in window.text.toPlainText()
    assert not window.open_button.isVisibleTo(window)
    app.desk.layout.toggle_patient_data()
    assert window.text.toPlainText() == HIDDEN
    assert "Diagnostic" not in window.windowTitle()
    assert "Mass" not in " ".join(row_text(row, False)[0] for row in app.window.series_list.model.rows)


def test_a_pdf_is_saved_where_the_user_says(
    qtbot: QtBot, app: App, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, folder)
    open_document(qtbot, app, "PDF")
    window = app.window.findChild(DocumentWindow)
    assert window is not None
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *given: (str(tmp_path / "outside"), ""))
    window.save_button.click()
    assert (tmp_path / "outside.pdf").read_bytes() == PDF


def test_the_copy_for_a_pdf_viewer_is_deleted_when_the_app_closes(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder)
    with qtbot.waitSignal(app.desk.documents.opened) as opened:
        app.desk.documents.open(document(app, "PDF"))
    path = app.desk.documents.pdf_file(opened.args[0])
    assert path.read_bytes() == PDF
    app.desk.documents.close()
    assert not path.exists()


def test_a_presentation_state_is_applied_to_its_image_and_taken_off_again(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder)
    open_document(qtbot, app, "presentation state")
    viewport, documents = app.desk.viewport, app.desk.documents
    assert viewport.index == 1
    assert viewport.shown_window is not None
    assert (viewport.shown_window.center, viewport.shown_window.width) == (70, 300)
    frame = viewport.picture.ref  # type: ignore[union-attr]
    assert len(documents.annotations(frame)) == 2
    assert documents.shutter(frame) is not None
    assert app.window.findChild(DocumentWindow).text.toPlainText().startswith("Mass in the spleen")  # type: ignore[union-attr]
    painted = pixels(app)
    open_document(qtbot, app, "presentation state")
    assert (documents.annotations(frame), documents.shutter(frame)) == ((), None)
    assert pixels(app) != painted


def test_a_segmentation_tints_the_image_where_it_is_and_is_taken_off_again(
    qtbot: QtBot, app: App, folder: Path
) -> None:
    open_paths(qtbot, app, folder)
    app.desk.viewport.go_to(1)
    settle(qtbot, app)
    open_document(qtbot, app, "segmentation")
    settle(qtbot, app)
    assert app.desk.viewport.index == 1
    (tint,) = app.desk.documents.tints(app.desk.viewport.picture.ref)  # type: ignore[union-attr]
    assert tint.label == "Spleen"
    tinted = render_viewport(app.desk, annotations=True)
    state = app.desk.viewport
    assert state.shape is not None
    ratio = state.view.device_ratio
    for point, colored in (((85.0, 50.0), True), ((20.0, 100.0), False)):
        x, y = (round(value * ratio) for value in to_screen(state.view, state.shape, point))
        assert (tinted.pixelColor(x, y).saturation() > 30) == colored
    open_document(qtbot, app, "segmentation")
    assert app.desk.documents.tints(state.picture.ref) == []  # type: ignore[union-attr]


def test_what_lies_on_images_goes_with_its_study(qtbot: QtBot, app: App, folder: Path) -> None:
    open_paths(qtbot, app, folder)
    open_document(qtbot, app, "segmentation")
    shown = document(app, "segmentation")
    assert app.desk.documents.is_shown(shown)
    app.desk.studies.close_all()
    assert not app.desk.documents.is_shown(shown)
