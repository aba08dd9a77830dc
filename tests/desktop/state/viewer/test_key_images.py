"""Key images: marked, listed, stepped through, kept with the study from one start to the next."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive, derive_stack


def mark(qtbot: QtBot, app: App, *indices: int) -> None:
    for index in indices:
        app.desk.viewport.go_to(index)
        settle(qtbot, app)
        qtbot.keyClick(app.window.viewport, Qt.Key.Key_K)


def test_marked_frames_are_listed_in_their_order(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.window.viewport.setFocus()
    mark(qtbot, app, 7, 2)
    assert [key.index for key in app.desk.key_images.all()] == [2, 7]
    assert app.actions.actions["mark_key_image"].isChecked()
    mark(qtbot, app, 7)
    assert [key.index for key in app.desk.key_images.all()] == [2]


def test_steps_go_from_one_to_the_next_and_around(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    mark(qtbot, app, 1, 4, 8)
    app.desk.viewport.go_to(3)
    seen = []
    for _ in range(4):
        app.actions.actions["next_key_image"].trigger()
        seen.append(app.desk.viewport.index)
    assert seen == [4, 8, 1, 4]
    app.actions.actions["previous_key_image"].trigger()
    assert app.desk.viewport.index == 1
    settle(qtbot, app)


def test_a_key_image_of_another_series_is_shown_in_the_active_viewport(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    mark(qtbot, app, 5)
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    ct = next(study for study in app.desk.studies.studies if study.series[0].modality == "CT")
    app.desk.studies.select(f"{ct.uid}/{ct.series[0].key}")
    settle(qtbot, app)
    app.actions.actions["next_key_image"].trigger()
    settle(qtbot, app)
    assert app.desk.viewport.index == 5
    assert app.desk.viewport.series is not None
    assert app.desk.viewport.series.modality == "MR"
    assert app.desk.studies.series is app.desk.viewport.series


def test_marks_are_kept_with_the_study(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    mark(qtbot, app, 3, 6)
    app.close()
    again = build(tmp_path / "workspace")
    qtbot.addWidget(again.window)
    again.desk.report.open_workspace()
    again.desk.studies.open([dicom("emri_small.dcm")])
    qtbot.waitUntil(again.desk.background.idle, timeout=60_000)
    assert [key.index for key in again.desk.key_images.all()] == [3, 6]
    again.close()


def test_the_mark_is_seen_on_the_picture(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    before = app.window.viewport.grab().toImage()
    mark(qtbot, app, 0)
    assert app.window.viewport.grab().toImage() != before


def test_the_list_goes_to_the_one_that_is_chosen(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    mark(qtbot, app, 1, 8)
    app.actions.actions["list_key_images"].trigger()
    chooser = app.window.chooser
    assert chooser is not None
    assert [choice.text for choice in chooser.shown()] == ["Image 2 of 10", "Image 9 of 10"]
    qtbot.keyClick(chooser.typed, Qt.Key.Key_Return)
    settle(qtbot, app)
    assert app.desk.viewport.index == 1


def test_a_plane_that_no_file_holds_cannot_be_marked(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 5, 10, 15], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    actions = app.actions.actions
    qtbot.waitUntil(actions["mark_key_image"].isEnabled)
    actions["mpr"].trigger()
    settle(qtbot, app)
    qtbot.waitUntil(lambda: not actions["mark_key_image"].isEnabled())
    app.desk.key_images.toggle()
    assert not app.desk.key_images.any()


def test_an_image_without_an_identifier_cannot_be_marked(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, derive(tmp_path / "image", "CT_small.dcm", SOPInstanceUID=None))
    assert app.desk.viewport.picture is not None
    qtbot.waitUntil(lambda: not app.actions.actions["mark_key_image"].isEnabled())
