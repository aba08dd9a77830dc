"""The prior of a series: which one is chosen, where it begins, and that it is found in the archive too."""

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.similar.prior import NONE
from desktop.state.studies.priors import first_index, priors_of
from engine.archive import Archive
from engine.bundle import Bundle
from engine.image.archived import is_archived
from engine.importing.importer import import_path
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.studies.test_browser import copy_of
from tests.engine.dicom_samples import derive_stack


def another(folder: Path, name: str = "CT_small.dcm", **changes: str) -> Path:
    """A study of its own, derived from a real file."""
    uids = {"StudyInstanceUID": str(generate_uid()), "SeriesInstanceUID": str(generate_uid())}
    return copy_of(name, folder, **{**uids, **changes})


def date_beside(app: App) -> str:
    study = app.desk.layout.viewports[1].study
    return study.date if study else ""


def press(qtbot: QtBot, app: App) -> None:
    app.actions.actions["compare_with_prior"].trigger()
    settle(qtbot, app)


def show_of(app: App, date: str) -> None:
    study = next(one for one in app.desk.studies.studies if one.date == date)
    app.desk.studies.select(f"{study.uid}/{study.series[0].key}")


def test_the_latest_prior_is_hung_and_linked_and_asking_again_shows_the_one_before(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    dates = ("20040119", "20060101", "20080101", "20100101")
    open_paths(qtbot, app, dicom("CT_small.dcm"), *(another(tmp_path, StudyDate=date) for date in dates[1:]))
    show_of(app, "20080101")
    settle(qtbot, app)
    press(qtbot, app)
    assert date_beside(app) == "20060101"  # never a later study
    assert app.desk.links.linked
    assert app.desk.viewport.study is not None
    assert app.desk.viewport.study.date == "20080101"
    press(qtbot, app)
    assert date_beside(app) == "20040119"
    press(qtbot, app)
    assert date_beside(app) == "20060101"


@pytest.mark.parametrize(
    "changes",
    [
        {"PatientID": "other", "PatientName": "Other"},
        {"BodyPartExamined": "HEAD", "SeriesDescription": "Head"},
        {"Modality": "MR"},
    ],
)
def test_another_patient_region_or_modality_is_no_prior(
    qtbot: QtBot, app: App, tmp_path: Path, changes: dict[str, str]
) -> None:
    own = another(tmp_path, StudyDate="20100101", BodyPartExamined="CHEST", SeriesDescription="Chest")
    other = another(tmp_path, **{"StudyDate": "20090101", "BodyPartExamined": "CHEST", **changes})
    open_paths(qtbot, app, own, other)
    show_of(app, "20100101")
    settle(qtbot, app)
    press(qtbot, app)
    assert app.desk.messages.message is not None
    assert app.desk.messages.message.text == NONE


def test_of_several_series_the_one_in_the_same_plane_is_chosen_at_the_same_fraction(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    for number, (name, date, slices) in enumerate((("new", "20100101", 9), ("old", "20090101", 5))):
        places = [5.0 * n for n in range(slices)]
        derive_stack(
            tmp_path / name, places, StudyInstanceUID=f"1.2.{number}", StudyDate=date, FrameOfReferenceUID=f"1.{number}"
        )
    derive_stack(
        tmp_path / "old" / "coronal",
        [5.0 * n for n in range(9)],
        StudyInstanceUID="1.2.1",
        SeriesInstanceUID="1.9",
        StudyDate="20090101",
        FrameOfReferenceUID="1.1",
        ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
    )
    open_paths(qtbot, app, tmp_path)
    show_of(app, "20100101")
    settle(qtbot, app)
    app.desk.viewport.go_to(6)
    settle(qtbot, app)
    press(qtbot, app)
    left, right = app.desk.layout.viewports
    assert right.count == 5
    assert right.index == 3
    left.scroll(-2)
    settle(qtbot, app)
    assert right.index == 1  # as many millimeters


def test_shift_and_the_wheel_change_the_offset_of_linked_stacks(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    left, right = app.desk.layout.viewports
    right.show(left.study, left.series)
    app.desk.links.toggle()
    settle(qtbot, app)
    view = app.window.grid.view_of(right)
    point = QPointF(view.rect().center())
    wheel = QWheelEvent(
        point,
        view.mapToGlobal(point),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ShiftModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    view.wheelEvent(wheel)
    assert (left.index, right.index) == (0, 2)
    left.scroll(3)
    assert (left.index, right.index) == (3, 5)
    app.actions.actions["scroll_alone_back"].trigger()
    assert (left.index, right.index) == (2, 5)
    settle(qtbot, app)


def test_a_prior_that_is_not_open_is_shown_from_the_archive(
    qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle
) -> None:
    with Archive.create(tmp_path / "archive", starter_bundle.id) as archive:
        for date in ("20050101", "20030101", "20020101", ""):  # the first is later than the study on screen
            import_path(archive, starter_bundle, another(tmp_path, StudyDate=date))
    app.desk.archive.open(tmp_path / "archive")
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    press(qtbot, app)
    right = app.desk.layout.viewports[1]
    assert is_archived(right.series)
    for case_id in (2, 3, 4, 2):  # the newest of them first, that without a date last
        assert app.desk.comparison.case_id == case_id
        press(qtbot, app)


def test_a_stack_without_positions_begins_at_the_same_fraction(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"), dicom("CT_small.dcm"))
    stack, single = (
        next(s for study in app.desk.studies.studies for s in study.series if len(s.frames) == n) for n in (10, 1)
    )
    assert first_index(stack, 9, single) == 0
    assert first_index(single, 0, stack) == 0
    study = app.desk.studies.studies[0]
    assert priors_of(study, study.series[0], app.desk.studies.studies) == []
