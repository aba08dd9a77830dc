"""Wrong and hostile input in the real window: rejected files are listed with reasons, the rest is shown."""

import shutil
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive, derive_stack

JUNK = 2_000


def windows_but_the_main_one(app: App) -> list[str]:
    return [one.windowTitle() for one in QApplication.topLevelWidgets() if one.isVisible() and one is not app.window]


def reasons(app: App) -> dict[str, str]:
    return {Path(item.path).name: item.reason for item in app.desk.studies.rejected}


def test_a_truncated_file_in_a_series_fails_at_its_index(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    files = derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    files[1].write_bytes(files[1].read_bytes()[:-5000])
    open_paths(qtbot, app, tmp_path)
    viewport = app.desk.viewport
    shown = []
    for index in range(viewport.count):
        viewport.go_to(index)
        settle(qtbot, app)
        shown.append(viewport.picture is not None and viewport.picture.index == index)
        if viewport.failure:
            assert annotate(viewport).bottom_left == (f"{index + 1} / {viewport.count}",)
    assert shown.count(True) == 3
    assert windows_but_the_main_one(app) == []


def test_slices_of_another_size_form_a_separate_stack(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6], FrameOfReferenceUID="1.2.3", SeriesInstanceUID="1.2.3.4")
    derive(tmp_path / "odd.dcm", "CT_small.dcm", FrameOfReferenceUID="1.2.3", SeriesInstanceUID="1.2.3.4", Rows=64)
    open_paths(qtbot, app, tmp_path)
    counts = sorted(len(series.frames) for study in app.desk.studies.studies for series in study.series)
    assert counts == [1, 3]
    assert app.desk.messages.message is None


def test_thousands_of_junk_files_are_rejected_and_the_image_among_them_is_shown(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    folder = tmp_path / "scan"
    folder.mkdir()
    noise = np.random.default_rng(0).bytes(40 * JUNK)
    for number in range(JUNK):
        (folder / f"junk{number:05}").write_bytes(noise[40 * number : 40 * number + 40])
    shutil.copy(dicom("CT_small.dcm"), folder / "real.dcm")
    open_paths(qtbot, app, folder)
    assert len(app.desk.studies.rejected) == JUNK
    assert app.window.status.rejected.text() == "2,000 files rejected"
    assert app.desk.viewport.picture is not None
    assert app.desk.messages.message is None
    assert windows_but_the_main_one(app) == []
    app.actions.actions["show_rejected"].trigger()
    dialog = app.window.dialogs.rejected
    assert dialog is not None
    assert dialog.table.model().rowCount() == JUNK
    dialog.close()


def test_a_missing_folder_is_reported(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    app.desk.open([tmp_path / "was here"])
    settle(qtbot, app)
    assert app.desk.messages.message is not None or app.desk.studies.rejected
    assert windows_but_the_main_one(app) == []


def test_files_that_disappear_after_listing_fail_with_a_reason(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path / "scan", [0, 3, 6], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path / "scan")
    app.desk.frames.keep_only(lambda ref: False)
    shutil.rmtree(tmp_path / "scan")
    app.desk.viewport.go_to(2)
    settle(qtbot, app)
    assert app.desk.viewport.failure
    assert windows_but_the_main_one(app) == []


def test_long_names_and_other_alphabets_are_shown(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    name = "Ünïcødé 患者 Ελένη " + "x" * 200
    changes = {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": "Jiménez-Ørsted^" + "Ангелина" * 6,
        "StudyDescription": "長い説明" * 12,
        "SeriesDescription": "ß" * 64,
    }
    folder = tmp_path / "scan"
    derive(folder / f"{name}.dcm"[:200], "CT_small.dcm", **changes)
    (folder / f"{'é' * 100}.txt").write_text("no image")
    open_paths(qtbot, app, folder)
    assert annotate(app.desk.viewport).top_left[0].startswith("Jiménez-Ørsted, Ангелина")
    assert app.window.grab().width() == app.window.width()
    assert list(reasons(app)) == [f"{'é' * 100}.txt"]
