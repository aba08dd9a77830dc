"""The view as a picture to give away, and the list of DICOM elements, in the real window on real files."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.studies import identify
from desktop.state.viewer.annotations import annotate
from desktop.views.viewer.export_view import CHECK, print_image, view_image, without_identity
from desktop.views.viewer.tag_browser import TagBrowser
from engine.errors import UserError
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import dataset, derive_stack


def strip(image: QImage, bottom: bool) -> int:
    """Bright pixels along the lower or upper edge."""
    rows = range(image.height() - 30, image.height()) if bottom else range(30)
    return sum(image.pixelColor(x, y).lightness() > 60 for y in rows for x in range(image.width()))


def test_a_saved_view_names_nobody_and_carries_the_notice(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(tmp_path / "out"), ""))
    expected = view_image(app.desk)  # the message that follows makes the viewport lower
    app.actions.actions["save_view"].trigger()
    saved = QImage(str(tmp_path / "out.png"))
    assert saved.convertToFormat(expected.format()) == expected
    assert saved.textKeys() == []
    assert strip(saved, bottom=True) > 100
    notes = without_identity(app.desk.viewport)
    said = " ".join((*notes.top_left, *notes.top_right, *notes.bottom_left, *notes.bottom_right))
    source = dataset("CT_small.dcm")
    for secret in (source.PatientID, str(source.PatientName).split("^")[0], "2004", source.StudyDescription):
        assert str(secret) not in said


def test_annotations_and_identity_are_left_out_or_in_as_asked(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    ref = app.desk.viewport.picture.ref  # type: ignore[union-attr]
    app.desk.measurements.add(Measurement("length", ((20, 20), (90, 90)), ref.image.sop_uid))
    plain, marked, named = (
        view_image(app.desk, annotations, identity)
        for annotations, identity in ((False, False), (True, False), (True, True))
    )
    assert plain != marked
    assert marked != named
    assert strip(plain, bottom=True) > 100  # the notice is in all of them


def test_what_is_asked_for_is_in_the_picture_whatever_the_screen_shows(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    ref = app.desk.viewport.picture.ref  # type: ignore[union-attr]
    app.desk.measurements.add(Measurement("length", ((20, 20), (90, 90)), ref.image.sop_uid))
    named, marked = view_image(app.desk, identity=True), view_image(app.desk)
    app.desk.layout.toggle_patient_data()
    app.actions.actions["texts"].trigger()
    assert view_image(app.desk, identity=True) == named
    assert view_image(app.desk) == marked


def test_a_mirrored_or_turned_view_says_so_without_orientation_letters(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("RG3_UNCI.dcm"))
    app.desk.viewport.flip(True)
    assert "Flipped" in annotate(app.desk.viewport).bottom_right
    app.desk.viewport.rotate(1)
    assert {"Flipped", "Rotated 90°"} <= set(without_identity(app.desk.viewport).bottom_right)
    app.actions.actions["reset"].trigger()
    assert not {"Flipped", "Rotated 90°"} & set(annotate(app.desk.viewport).bottom_right)


def test_the_mark_of_a_key_image_is_an_annotation(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    plain, marked = view_image(app.desk, annotations=False), view_image(app.desk)
    app.actions.actions["key_image"].trigger()
    assert view_image(app.desk, annotations=False) == plain
    key = view_image(app.desk)
    changed = [(x, y) for y in range(key.height()) for x in range(key.width()) if key.pixel(x, y) != marked.pixel(x, y)]
    columns, rows = [x for x, _ in changed], [y for _, y in changed]
    assert max(rows) - min(rows) < 20  # one line, in the middle near the top
    assert max(rows) < 100  # below the lines in the corners
    assert abs((min(columns) + max(columns)) / 2 - key.width() / 2) < 5


def test_a_copied_view_of_ultrasound_warns_of_text_in_its_pixels(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("US1_UNCI.dcm"))
    expected = view_image(app.desk)
    app.actions.actions["copy_view"].trigger()
    assert QGuiApplication.clipboard().image() == expected
    assert app.desk.messages.message is not None
    assert CHECK in app.desk.messages.message.text


def test_a_view_is_printed(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "page.pdf"))
    print_image(view_image(app.desk), printer)
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_a_printed_view_of_ultrasound_warns_of_text_in_its_pixels(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(dialog: QPrintDialog) -> bool:
        dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        dialog.printer().setOutputFileName(str(tmp_path / "page.pdf"))
        return True

    open_paths(qtbot, app, dicom("US1_UNCI.dcm"))
    monkeypatch.setattr(QPrintDialog, "exec", lambda dialog: False)
    app.actions.actions["print_view"].trigger()
    assert app.desk.messages.message is None  # nothing was printed
    monkeypatch.setattr(QPrintDialog, "exec", accept)
    app.actions.actions["print_view"].trigger()
    assert (tmp_path / "page.pdf").exists()
    assert app.desk.messages.message is not None
    assert CHECK in app.desk.messages.message.text


def test_without_an_image_there_is_nothing_to_export(app: App) -> None:
    with pytest.raises(UserError, match="no image"):
        view_image(app.desk)
    assert not app.actions.actions["save_view"].isEnabled()


def test_the_list_of_elements_is_searched_and_hides_the_identity(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.actions.actions["tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None

    def values() -> list[str]:
        return [browser.model.item(row, 3).text() for row in range(browser.model.rowCount())]

    assert browser.model.rowCount() > 100
    browser.search.setText("0010,0020")
    assert set(values()) == {"Hidden"}  # also those inside of sequences
    browser.identity.setChecked(True)
    assert values()[0] == dataset("CT_small.dcm").PatientID
    browser.search.setText("modality ct")
    assert "CT" in values()
    app.desk.tags.show()
    settle(qtbot, app)
    assert not browser.identity.isChecked()
    browser.close()


def test_a_plane_lists_the_elements_of_its_first_slice_and_says_so(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0, 15.0])
    open_paths(qtbot, app, tmp_path)
    app.desk.mpr.toggle()
    settle(qtbot, app)
    app.actions.actions["tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None
    assert browser.windowTitle().endswith("Axial, first slice")
    assert browser.model.rowCount() > 100
    browser.close()


def test_the_list_of_elements_follows_the_image_on_screen_and_says_which(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0])
    open_paths(qtbot, app, tmp_path, dicom("MR_small.dcm"))
    stack = next((one, series) for one in app.desk.studies.studies for series in one.series if len(series.frames) == 3)
    app.desk.studies.select(identify(*stack))
    settle(qtbot, app)
    app.actions.actions["tags"].trigger()
    settle(qtbot, app)
    browser = app.window.findChild(TagBrowser)
    assert browser is not None
    assert browser.windowTitle().endswith("image 1 of 3")
    browser.search.setText("instance number")
    browser.identity.setChecked(True)
    app.desk.viewport.go_to(2)
    qtbot.waitUntil(lambda: browser.windowTitle().endswith("image 3 of 3"))
    settle(qtbot, app)
    assert [browser.model.item(row, 3).text() for row in range(browser.model.rowCount())] == ["3"]
    assert browser.identity.isChecked()
    app.desk.studies.step(1 if app.desk.studies.studies[0] is stack[0] else -1)
    qtbot.waitUntil(lambda: browser.windowTitle().endswith("image 1 of 1"))
    assert not browser.identity.isChecked()  # another patient
    browser.close()
