"""The status bar, and what is redacted while patient data is hidden."""

import shutil
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.background import as_work
from desktop.errors import describe
from desktop.state.redaction import redact_names
from desktop.views.studies.rejected import RejectedDialog, redacted_row
from engine.archive import Archive
from engine.dicom.listing import Listing
from engine.errors import Rejected, UserError
from engine.image.picture import load_picture
from engine.importing.csv_files import read_reports
from engine.store.case import NewReport
from engine.store.folder.folder_store import DATABASE
from engine.store.identity import KEY_FILE
from tests.desktop.conftest import dicom, open_paths, settle


def test_the_image_cache_is_shown_with_its_limit(qtbot: QtBot, app: App) -> None:
    cache = app.window.status.cache
    assert not cache.isVisible()
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert cache.isVisible()
    assert cache.text() == "Image cache 0 of 512 MB"
    app.desk.settings.change(cache_megabytes=128)
    assert cache.text() == "Image cache 0 of 128 MB"
    app.desk.studies.close_all()
    assert not cache.isVisible()


def test_opening_names_the_folder_only_while_patient_data_is_shown(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    folder = tmp_path / "Doe_Jane"
    folder.mkdir()
    gate, opened = threading.Event(), app.desk.studies._open_files
    app.desk.studies._open_files = lambda *given: opened(*given) if gate.wait(20) else Listing(())
    status = app.window.status
    app.desk.studies.open([folder])
    qtbot.waitUntil(lambda: status.job.text() == "Opening Doe_Jane…")
    app.desk.layout.toggle_patient_data()
    assert status.job.text() == "Opening an item…"
    app.desk.studies.open([folder])
    qtbot.waitUntil(lambda: status.job.text() == "Opening an item… (+1 more)")
    gate.set()
    settle(qtbot, app)
    assert status.job.isHidden()


def test_many_tasks_that_start_together_update_the_bar_once(qtbot: QtBot, app: App) -> None:
    gate, status = threading.Event(), app.window.status
    for number in range(30):
        app.desk.background.start(as_work(gate.wait, 20), lambda _: None, title=f"Work {number}")
    assert status.job.isHidden()
    qtbot.waitUntil(lambda: status.job.text() == "Work 29… (+29 more)")
    gate.set()
    settle(qtbot, app)
    assert status.job.isHidden()  # at once when the last has ended


def test_rejected_files_are_not_named_while_patient_data_is_hidden(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    (tmp_path / "Doe_Jane.txt").write_text("no image")
    open_paths(qtbot, app, tmp_path)
    app.desk.layout.toggle_patient_data()
    qtbot.waitUntil(app.actions.actions["show_rejected"].isEnabled)
    app.actions.actions["show_rejected"].trigger()
    dialog = app.window.dialogs.rejected
    assert isinstance(dialog, RejectedDialog)
    model = dialog.table.model()
    cells = [str(model.data(model.index(0, column))) for column in range(2)]
    assert cells[0] == "File 1, name hidden"
    assert not any("Doe" in cell for cell in cells)
    dialog.close()


def test_a_path_in_a_reason_is_redacted() -> None:
    item = Rejected("/x/Doe.dcm", "Doe.dcm ends too early: /x/Doe.dcm")
    assert redacted_row(3, item).reason == "The file ends too early: the file"


def test_another_file_named_in_a_reason_is_redacted(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("Doe_Jane.dcm", "Roe_Mary.dcm"):
        shutil.copy(dicom("CT_small.dcm"), folder / name)
    open_paths(qtbot, app, folder)
    (twice,) = app.desk.studies.rejected
    assert "Doe_Jane.dcm" in twice.reason
    hidden = redacted_row(1, twice)
    assert hidden.reason.startswith("Same SOP Instance UID as the file, which is used instead.")


def test_a_zip_of_an_open_file_does_not_name_it(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    shutil.copy(dicom("CT_small.dcm"), folder / "Doe_Jane.dcm")
    with zipfile.ZipFile(folder / "Roe_Mary.zip", "w") as archive:
        archive.write(dicom("CT_small.dcm"), "image.dcm")
    open_paths(qtbot, app, folder)
    (twice,) = app.desk.studies.rejected
    assert "Doe_Jane.dcm" in twice.reason
    assert "Doe" not in redacted_row(1, twice).reason


def test_a_file_that_cannot_be_shown_is_not_named_while_patient_data_is_hidden(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    path = tmp_path / "DOE_JOHN" / "image.dcm"
    path.parent.mkdir()
    path.write_bytes(dicom("MR_small_RLE.dcm").read_bytes())
    open_paths(qtbot, app, dicom("CT_small.dcm"), path)
    path.unlink()
    app.desk.frames.keep_only(lambda ref: False)
    gone = next((one, one.series[0]) for one in app.desk.studies.studies if one.series[0].modality == "MR")
    app.desk.viewport.show(*gone)
    settle(qtbot, app)
    assert "DOE_JOHN" in app.desk.viewport.failure_text
    app.desk.layout.toggle_patient_data()
    assert app.desk.viewport.failure_text.startswith("The file no longer exists")


def test_an_import_is_not_named_while_patient_data_is_hidden(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.desk.archive.create(tmp_path / "archive")
    settle(qtbot, app)
    app.desk.archive.bundle = SimpleNamespace(provider="CPU")  # type: ignore[assignment]
    started: dict[str, object] = {}
    monkeypatch.setattr(app.desk.background, "start", lambda *work, **options: started.update(options))
    app.desk.archive.import_into(tmp_path / "Doe_Jane")
    app.desk.archive.bundle = None
    assert (started["title"], started["redacted_title"]) == ("Importing Doe_Jane", "Importing")


def unusable_table(folder: Path) -> None:
    (folder / "reports.csv").write_text("words\nnothing\n")
    list(read_reports(folder / "reports.csv"))


def no_archive(folder: Path) -> None:
    Archive.open(folder)


def archive_in_use(folder: Path) -> None:
    (folder / "notes.txt").write_text("kept")
    Archive.create(folder)


def archive_without_key(folder: Path) -> None:
    Archive.create(folder).close()
    (folder / KEY_FILE).unlink()
    Archive.open(folder)


def damaged_archive(folder: Path) -> None:
    Archive.create(folder).close()
    (folder / DATABASE).write_bytes(b"no database " * 1000)
    Archive.open(folder)


def archive_without_models(folder: Path) -> None:
    with Archive.create(folder) as archive:
        archive.set_report(1, NewReport("Normal.", np.zeros(4, np.float32)), "test")


def lost_picture(folder: Path) -> None:
    load_picture(folder / "picture.png")


@pytest.mark.parametrize(
    "fail",
    [
        *(unusable_table, no_archive, archive_in_use, archive_without_key, damaged_archive),
        *(archive_without_models, lost_picture),
    ],
)
def test_a_failure_names_its_file_or_folder_only_while_patient_data_is_shown(
    app: App, tmp_path: Path, fail: Callable[[Path], None]
) -> None:
    folder = tmp_path / "Doe_Jane"
    folder.mkdir()
    with pytest.raises(UserError) as failure:
        fail(folder)
    shown: list[str] = []
    for _ in range(2):
        app.desk.show_problem(failure.value)
        assert app.desk.messages.message is not None
        shown.append(app.desk.messages.message.text)
        app.desk.layout.toggle_patient_data()
    assert "Doe_Jane" in shown[0]
    assert "Doe_Jane" not in shown[1]
    assert "archive the file" not in shown[1]


def test_what_cannot_be_searched_or_read_is_named_only_while_patient_data_is_shown(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    """In similar cases, the selected case, and the tags of a missing file."""
    path = tmp_path / "Doe_Jane" / "image.dcm"
    path.parent.mkdir()
    path.write_bytes(dicom("CT_small.dcm").read_bytes())
    open_paths(qtbot, app, path)
    path.unlink()
    app.desk.tags.show()
    settle(qtbot, app)
    error = UserError(f"The archive {path.parent} was indexed with another model.", path.parent)
    app.desk.search._fail(error)
    app.desk.search.selected_case._fail(error)
    app.desk.tags.patient_data_visible = True
    states = (app.desk.search, app.desk.search.selected_case, app.desk.tags)
    assert all("Doe_Jane" in state.failure for state in states)
    app.desk.layout.toggle_patient_data()
    app.desk.tags.patient_data_visible = False
    assert [state.failure for state in states[:2]] == ["The archive was indexed with another model."] * 2
    assert "Doe_Jane" not in states[2].failure
    assert "Doe_Jane" not in app.window.search_panel.hint.text()


def test_the_details_of_a_bug_name_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "Doe_Jane.dcm"
    try:
        try:
            path.read_bytes()
        except OSError as error:
            raise ZeroDivisionError from error
    except ZeroDivisionError as error:
        message = describe(error)
    assert "Doe_Jane" not in message.details + caplog.text
    assert "No such file or directory: …" in message.details


@pytest.mark.parametrize(
    ("name", "text", "hidden"),
    [
        ("/in/1", "Frame 1 cannot be decoded.", "Frame 1 cannot be decoded."),
        ("/in/head", "The header of /in/head is cut short.", "The header of the file is cut short."),
        ("/in/Doe.zip > a/Doe", "a/Doe is no longer in /in/Doe.zip.", "The file is no longer in the file."),
        ("/in/Doe^John", "The archive /in/Doe^John lacks its key.", "The archive lacks its key."),
    ],
)
def test_only_whole_names_are_redacted(name: str, text: str, hidden: str) -> None:
    assert redact_names(text, (name,)) == hidden


def test_a_command_that_fails_names_no_file_while_patient_data_is_hidden(
    qtbot: QtBot, app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.toggle_patient_data()
    chosen = str(tmp_path / "Doe_Jane" / "view.png"), ""  # a folder that is not there
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    app.actions.actions["export_image"].trigger()
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text == "Cannot write the file; choose another folder."


def test_tab_moves_the_focus_from_the_viewports_to_the_next_panel(qtbot: QtBot, app: App) -> None:
    app.desk.layout.set_grid(1, 2)
    app.window.viewport.setFocus()
    for _ in range(3):
        qtbot.keyClick(app.window.focusWidget(), Qt.Key.Key_Tab)
    assert not app.window.grid.isAncestorOf(app.window.focusWidget())


def test_control_and_arrow_keys_go_from_viewport_to_viewport(qtbot: QtBot, app: App) -> None:
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    app.window.viewport.setFocus()
    qtbot.waitUntil(app.actions.actions["next_viewport"].isEnabled)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert app.desk.layout.active is second
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert app.desk.layout.active is first


def test_opening_something_dismisses_the_message(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    app.desk.open([tmp_path])
    settle(qtbot, app)
    assert app.desk.messages.message is not None
    app.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, app)
    assert app.desk.messages.message is None
