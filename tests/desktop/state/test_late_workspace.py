"""Marks and text made before the workspace is open are appended to what it stores, and overwrite nothing."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.key_images import key_of
from engine.reports.workspace import KEY_IMAGES, Workspace
from tests.desktop.conftest import dicom, open_paths, settle

FILE = "emri_small.dcm"


@pytest.fixture
def late(qtbot: QtBot, unopened: App) -> App:
    """The app with a study open and its workspace, which has been used before, not open yet."""
    open_paths(qtbot, unopened, dicom(FILE))
    return unopened


def workspace(folder: Path) -> Workspace:
    return Workspace.open(folder / "workspace")


def study_of(app: App) -> str:
    assert app.desk.studies.study is not None
    return app.desk.studies.study.uid


def test_a_key_image_marked_early_is_merged_with_the_stored_ones(qtbot: QtBot, late: App, tmp_path: Path) -> None:
    desk, study = late.desk, study_of(late)
    assert desk.viewport.series is not None
    keys = [list(key_of(frame)) for frame in desk.viewport.series.frames]
    with workspace(tmp_path) as kept:
        kept.save_marks(study, KEY_IMAGES, [keys[1], keys[4]])
    desk.key_images.toggle()
    desk.report.open_workspace()
    settle(qtbot, late)
    assert [key.index for key in desk.key_images.all()] == [0, 1, 4]
    with workspace(tmp_path) as kept:
        assert kept.load_marks(study, KEY_IMAGES) == [keys[1], keys[4], keys[0]]


def test_text_typed_early_is_appended_to_the_stored_report(qtbot: QtBot, late: App, tmp_path: Path) -> None:
    with workspace(tmp_path) as kept:
        kept.save_edit(study_of(late), "Kept yesterday.")
    late.desk.report.edit("x")
    late.desk.report.open_workspace()
    settle(qtbot, late)
    assert late.window.report_panel.editor.toPlainText() == "Kept yesterday.\n\nx"
    late.desk.report.save()
    settle(qtbot, late)
    with workspace(tmp_path) as kept:
        stored = kept.load(study_of(late))
    assert stored is not None
    assert stored.text == "Kept yesterday.\n\nx"


def test_text_typed_early_becomes_an_addendum_when_the_report_is_signed(
    qtbot: QtBot, late: App, tmp_path: Path
) -> None:
    with workspace(tmp_path) as kept:
        kept.save_edit(study_of(late), "Signed yesterday.")
        kept.sign(study_of(late))
    late.desk.report.edit("Typed too early.")
    late.desk.report.open_workspace()
    settle(qtbot, late)
    panel = late.window.report_panel
    assert (panel.editor.toPlainText(), panel.addendum.toPlainText()) == ("Signed yesterday.", "Typed too early.")
    assert late.desk.messages.message is not None
    assert late.desk.messages.message.text.endswith("is now an unsigned addendum.")
    late.desk.report.save()
    settle(qtbot, late)
    with workspace(tmp_path) as kept:
        stored = kept.load(study_of(late))
    assert stored is not None
    assert (stored.text, stored.addendum) == ("Signed yesterday.", "Typed too early.")
