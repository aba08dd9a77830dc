"""Key images that come with a study: marked, listed, stepped through like the reader's own, but never removed."""

import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.background import Background
from desktop.state.formatting import readable_name
from desktop.state.studies.studies import StudiesState
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import key_objects

SERIES = "dicomdirtests/98892001/CT5N"


@pytest.fixture
def slices() -> list[Dataset]:
    """Five slices of a real CT series, in the order of the stack."""
    read = [pydicom.dcmread(path) for path in sorted(folder().iterdir())]
    return sorted(read, key=lambda image: int(image.InstanceNumber))


def folder() -> Path:
    return dicom(f"{SERIES}/2062").parent


def marks(app: App) -> list[str]:
    """What is written over the frame on screen."""
    viewport = app.desk.viewport
    assert viewport.picture is not None
    return [mark.text for mark in app.desk.key_images.marks(viewport.study, viewport.picture.ref)]


def go_to(qtbot: QtBot, app: App, image: Dataset) -> None:
    viewport = app.desk.viewport
    assert viewport.series is not None
    viewport.go_to([ref.image.sop_uid for ref in viewport.series.frames].index(image.SOPInstanceUID))
    settle(qtbot, app)


def shown_uid(app: App) -> str:
    viewport = app.desk.viewport
    assert viewport.series is not None
    return viewport.series.frames[viewport.index].image.sop_uid


def test_they_are_marked_on_the_image_with_their_title(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    document = key_objects(tmp_path / "keys", [slices[1]], codes.DCM.ForReferringProvider)
    open_paths(qtbot, app, folder(), document)
    go_to(qtbot, app, slices[1])
    assert marks(app) == ["★ For Referring Provider"]
    marked = app.window.viewport.grab().toImage()
    app.desk.studies.key_objects = {}
    app.desk.studies.changed.emit()
    assert app.window.viewport.grab().toImage() != marked
    go_to(qtbot, app, slices[2])
    assert marks(app) == []


def test_the_list_names_the_title_and_steps_go_from_one_to_the_next(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    one = key_objects(tmp_path / "a", [slices[1], slices[3]], codes.DCM.OfInterest)
    two = key_objects(tmp_path / "b", [slices[3]], codes.DCM.ForTeaching)
    open_paths(qtbot, app, folder(), one, two)
    qtbot.waitUntil(app.actions.actions["list_key_images"].isEnabled)
    app.actions.actions["list_key_images"].trigger()
    chooser = app.window.chooser
    assert chooser is not None
    patient = readable_name(app.desk.studies.studies[0].patient.name)
    said = [choice.context.partition(f" · {patient} · ")[0] for choice in chooser.shown()]
    assert sorted(said) == ["★ Of Interest", "★ Of Interest · ★ For Teaching"]
    chooser.close()
    seen = []
    for _ in range(3):
        app.actions.actions["next_key_image"].trigger()
        seen.append(shown_uid(app))
    assert set(seen) == {slices[1].SOPInstanceUID, slices[3].SOPInstanceUID}
    assert seen[0] == seen[2]
    settle(qtbot, app)


def test_the_key_marks_and_unmarks_only_what_is_the_readers_own(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    open_paths(qtbot, app, folder(), key_objects(tmp_path / "keys", [slices[2]], codes.DCM.OfInterest))
    go_to(qtbot, app, slices[2])
    action = app.actions.actions["mark_key_image"]
    qtbot.waitUntil(action.isEnabled)
    assert not action.isChecked()
    also = "Key object selections also mark this image: Of Interest."
    for expected, said in (
        (["★ Key image", "★ Of Interest"], f"Marked as key image. {also}"),
        (["★ Of Interest"], f"Key image mark removed. {also}"),
    ):
        qtbot.keyClick(app.window.viewport, Qt.Key.Key_K)
        assert marks(app) == expected
        assert action.isChecked() == (len(expected) == 2)
        assert app.desk.messages.message is not None
        assert app.desk.messages.message.text == said


def test_a_rejected_image_is_shown_as_rejected_and_not_stepped_to(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    note = key_objects(tmp_path / "keys", [slices[0]], codes.DCM.RejectedForQualityReasons)
    open_paths(qtbot, app, folder(), note)
    go_to(qtbot, app, slices[0])
    assert marks(app) == ["✕ Rejected for Quality Reasons"]
    actions = app.actions.actions
    qtbot.waitUntil(actions["list_key_images"].isEnabled)
    assert not actions["next_key_image"].isEnabled()
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_K)
    assert marks(app) == ["★ Key image", "✕ Rejected for Quality Reasons"]
    qtbot.waitUntil(actions["next_key_image"].isEnabled)


def test_an_image_marked_as_a_whole_is_listed_once_and_marked_on_every_frame(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    image = pydicom.dcmread(dicom("emri_small.dcm"))
    open_paths(qtbot, app, dicom("emri_small.dcm"), key_objects(tmp_path / "keys", [image], codes.DCM.BestInSet))
    for index in (0, 6):
        app.desk.viewport.go_to(index)
        settle(qtbot, app)
        assert marks(app) == ["★ Best In Set"]
    assert [key.index for key in app.desk.key_images.all()] == [0]


def test_frame_numbers_of_a_document_count_from_one(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    image = pydicom.dcmread(dicom("emri_small.dcm"))
    document = key_objects(tmp_path / "keys", [image], codes.DCM.OfInterest, numbers=[1, 10])
    open_paths(qtbot, app, dicom("emri_small.dcm"), document)
    assert [key.index for key in app.desk.key_images.all()] == [0, 9]


def test_a_document_may_be_opened_before_or_after_its_images(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    first = key_objects(tmp_path / "a", [slices[1]], codes.DCM.OfInterest)
    open_paths(qtbot, app, first)
    assert app.desk.messages.message is not None
    assert "only a key object selection" in app.desk.messages.message.text
    assert app.desk.studies.rejected == []
    qtbot.waitUntil(lambda: not app.actions.actions["list_key_images"].isEnabled())
    open_paths(qtbot, app, folder())
    assert len(app.desk.key_images.all()) == 1
    open_paths(qtbot, app, key_objects(tmp_path / "b", [slices[4]], codes.DCM.OfInterest))
    assert len(app.desk.key_images.all()) == 2
    open_paths(qtbot, app, first)
    assert len(app.desk.key_images.all()) == 2


def test_documents_go_with_their_study(qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    open_paths(qtbot, app, folder(), key_objects(tmp_path / "keys", [slices[1]], codes.DCM.OfInterest))
    app.desk.studies.close(slices[1].StudyInstanceUID)
    assert app.desk.studies.key_objects == {}
    open_paths(qtbot, app, folder())
    assert app.desk.key_images.all() == []


def test_a_zip_with_the_study_and_its_document_is_opened_at_once(
    qtbot: QtBot, app: App, slices: list[Dataset], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as packed:
        packed.write(key_objects(tmp_path / "keys", [slices[3]], codes.DCM.ForSurgery), "0 keys")
        for path in folder().iterdir():
            packed.write(path, path.name)
    open_paths(qtbot, app, tmp_path / "study.zip")
    (key,) = app.desk.key_images.all()
    assert key.series.frames[key.index].image.sop_uid == slices[3].SOPInstanceUID
    assert app.desk.studies.rejected == []


def test_a_document_that_comes_with_a_part_of_the_study_is_known_at_once(
    qtbot: QtBot, background: Background, slices: list[Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.dicom.listing.FIRST_PART_AFTER", 0.0)
    document = key_objects(tmp_path / "keys", [slices[3]], codes.DCM.ForSurgery)
    state = StudiesState(background)
    known: list[tuple[bool, int]] = []
    state.changed.connect(
        lambda: known.append((any(s.growing for study in state.studies for s in study.series), len(state.key_objects)))
    )
    state.open([document, folder()])
    qtbot.waitUntil(background.idle)
    assert known[0] == (True, 1)
    assert known[-1] == (False, 1)
