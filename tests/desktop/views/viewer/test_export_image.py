"""Export, copy and print of the active viewport, and the list of DICOM tags, in the real window on real files."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.studies import identify
from desktop.state.viewer.annotations import annotate
from desktop.views.viewer.export_image import CHECK, deidentified, print_image, render_viewport
from desktop.views.viewer.tag_browser import TagBrowser
from engine.errors import UserError
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import dataset, derive_stack


def strip(image: QImage, bottom: bool) -> int:
    """Bright pixels along the lower or upper edge."""
    rows = range(image.height() - 30, image.height()) if bottom else range(30)
    return sum(image.pixelColor(x, y).lightness() > 60 for y in rows for x in range(image.width()))


def test_an_exported_image_has_no_patient_data_and_carries_the_notice(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "out"), ""))
    expected = render_viewport(app.desk)  # the message that follows makes the viewport smaller
    app.actions.actions["export_image"].trigger()
    saved = QImage(str(tmp_path / "out.png"))
    assert saved.convertToFormat(expected.format()) == expected
    assert saved.textKeys() == []
    assert strip(saved, bottom=True) > 100
    notes = deidentified(app.desk.viewport)
    text = " ".join((*notes.top_left, *notes.top_right, *notes.bottom_left, *notes.bottom_right))
    source = dataset("CT_small.dcm")
    for secret in (source.PatientID, str(source.PatientName).split("^")[0], "2004", source.StudyDescription):
        assert str(secret) not in text


def test_annotations_and_patient_data_are_optional(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    ref = app.desk.viewport.picture.ref  # type: ignore[union-attr]
    app.desk.measurements.add(Measurement("length", ((20, 20), (90, 90)), ref.image.sop_uid))
    plain, marked, named = (
        render_viewport(app.desk, annotations, identity)
        for annotations, identity in ((False, False), (True, False), (True, True))
    )
    assert plain != marked
    assert marked != named
    assert strip(plain, bottom=True) > 100  # the notice is in all of them


def test_an_exported_image_does_not_depend_on_overlays_hidden_on_screen(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    ref = app.desk.viewport.picture.ref  # type: ignore[union-attr]
    app.desk.measurements.add(Measurement("length", ((20, 20), (90, 90)), ref.image.sop_uid))
    named, marked = render_viewport(app.desk, patient_data=True), render_viewport(app.desk)
    app.desk.layout.toggle_patient_data()
    app.actions.actions["overlay_text"].trigger()
    assert render_viewport(app.desk, patient_data=True) == named
    assert render_viewport(app.desk) == marked


def test_a_flipped_or_rotated_image_is_labelled_without_orientation_letters(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("RG3_UNCI.dcm"))
    app.desk.viewport.flip(True)
    assert "Flipped" in annotate(app.desk.viewport).bottom_right
    app.desk.viewport.rotate(1)
    assert {"Flipped", "Rotated 90°"} <= set(deidentified(app.desk.viewport).bottom_right)
    app.actions.actions["reset_view"].trigger()
    assert not {"Flipped", "Rotated 90°"} & set(annotate(app.desk.viewport).bottom_right)


def test_the_mark_of_a_key_image_is_an_annotation(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    plain, marked = render_viewport(app.desk, annotations=False), render_viewport(app.desk)
    app.actions.actions["mark_key_image"].trigger()
    assert render_viewport(app.desk, annotations=False) == plain
    key = render_viewport(app.desk)
    changed = [(x, y) for y in range(key.height()) for x in range(key.width()) if key.pixel(x, y) != marked.pixel(x, y)]
    columns, rows = [x for x, _ in changed], [y for _, y in changed]
    assert max(rows) - min(rows) < 20  # one line, in the middle near the top
    assert max(rows) < 100  # below the lines in the corners
    assert abs((min(columns) + max(columns)) / 2 - key.width() / 2) < 5


def test_copying_an_ultrasound_image_warns_of_burned_in_text(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("US1_UNCI.dcm"))
    expected = render_viewport(app.desk)
    app.actions.actions["copy_image"].trigger()
    assert QGuiApplication.clipboard().image() == expected
    assert app.desk.messages.message is not None
    assert CHECK in app.desk.messages.message.text


def test_an_image_is_printed(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "page.pdf"))
    print_image(render_viewport(app.desk), printer)
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_printing_an_ultrasound_image_warns_of_burned_in_text(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(dialog: QPrintDialog) -> bool:
        dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        dialog.printer().setOutputFileName(str(tmp_path / "page.pdf"))
        return True

    open_paths(qtbot, app, dicom("US1_UNCI.dcm"))
    monkeypatch.setattr(QPrintDialog, "exec", lambda dialog: False)
    app.actions.actions["print_image"].trigger()
    assert app.desk.messages.message is None  # nothing was printed
    monkeypatch.setattr(QPrintDialog, "exec", accept)
    app.actions.actions["print_image"].trigger()
    assert (tmp_path / "page.pdf").exists()
    assert app.desk.messages.message is not None
    assert CHECK in app.desk.messages.message.text


def test_without_an_image_there_is_nothing_to_export(app: App) -> None:
    with pytest.raises(UserError, match="No image"):
        render_viewport(app.desk)
    assert not app.actions.actions["export_image"].isEnabled()


def test_the_tags_are_searched_and_hide_patient_data(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.actions.actions["dicom_tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None

    def values() -> list[str]:
        return [browser.model.item(row, 3).text() for row in range(browser.model.rowCount())]

    assert browser.model.rowCount() > 100
    browser.search.setText("0010,0020")
    assert set(values()) == {"Hidden"}  # also inside sequences
    browser.patient_data.setChecked(True)
    assert values()[0] == dataset("CT_small.dcm").PatientID
    browser.search.setText("modality ct")
    assert "CT" in values()
    app.desk.tags.show()
    settle(qtbot, app)
    assert not browser.patient_data.isChecked()
    browser.close()


def test_an_mpr_plane_lists_the_tags_of_its_first_slice(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0, 15.0])
    open_paths(qtbot, app, tmp_path)
    app.desk.mpr.toggle()
    settle(qtbot, app)
    app.actions.actions["dicom_tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None
    assert browser.windowTitle().endswith("Axial, first slice")
    assert browser.model.rowCount() > 100
    browser.close()


def test_the_tags_follow_the_image_on_screen(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0])
    open_paths(qtbot, app, tmp_path, dicom("MR_small.dcm"))
    stack = next((one, series) for one in app.desk.studies.studies for series in one.series if len(series.frames) == 3)
    app.desk.studies.select(identify(*stack))
    settle(qtbot, app)
    app.actions.actions["dicom_tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None
    assert browser.windowTitle().endswith("image 1 of 3")
    browser.search.setText("instance number")
    browser.patient_data.setChecked(True)
    app.desk.viewport.go_to(2)
    qtbot.waitUntil(lambda: browser.windowTitle().endswith("image 3 of 3"))
    settle(qtbot, app)
    assert [browser.model.item(row, 3).text() for row in range(browser.model.rowCount())] == ["3"]
    assert browser.patient_data.isChecked()
    app.desk.studies.step(1 if app.desk.studies.studies[0] is stack[0] else -1)
    qtbot.waitUntil(lambda: browser.windowTitle().endswith("image 1 of 1"))
    assert not browser.patient_data.isChecked()  # another patient
    browser.close()
