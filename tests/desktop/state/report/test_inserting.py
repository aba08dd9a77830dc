"""Measurements, key images and words of other reports go into the report by one key, and stay linked."""

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.errors import PROBLEM
from desktop.state.report.inserting import NO_EARLIER_STUDY
from desktop.state.report.report import ReportState
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive_stack


def draw(app: App, end: tuple[float, float] = (30.0, 20.0)) -> Measurement:
    """A length on the image on screen, selected as after drawing."""
    picture = app.desk.viewport.picture
    assert picture is not None
    item = Measurement("length", ((20.0, 20.0), end), picture.ref.image.sop_uid)
    app.desk.measurements.add(item)
    return item


def messages(app: App) -> list[str]:
    return [check.message for check in app.desk.checking.checks]


def press_f9(qtbot: QtBot, app: App) -> None:
    view = app.window.viewport
    app.window.activateWindow()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    qtbot.keyClick(view, Qt.Key.Key_F9)


def test_f9_puts_the_selected_measurement_into_the_report(qtbot: QtBot, app: App, state: ReportState) -> None:
    state.edit("A nodule.")
    item = draw(app)
    press_f9(qtbot, app)
    assert state.page is not None
    assert state.page.text.startswith("A nodule. length 6.6 mm")
    (link,) = state.page.document.links
    assert link.target == item.id
    assert messages(app) == []


def test_a_measurement_goes_to_the_cursor_and_names_its_image(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0], StudyInstanceUID="1.2", FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    app.desk.viewport.go_to(1)
    settle(qtbot, app)
    state.edit("A nodule.")
    assert state.page is not None
    state.page.cursor = 8
    draw(app)
    app.desk.inserting.insert()
    assert state.page.text == "A nodule length 6.6 mm, image 2/3."


def test_a_measurement_changed_later_is_flagged_and_updated(qtbot: QtBot, app: App, state: ReportState) -> None:
    item = draw(app)
    app.desk.inserting.insert()
    app.desk.measurements.replace(item.with_points([(20.0, 20.0), (40.0, 20.0)]))
    (check,) = app.desk.checking.checks
    assert check.message == 'The measurement "length 6.6 mm" was changed later.'
    app.desk.checking.settle(check)
    assert state.page is not None
    assert state.page.text == "length 13.2 mm"
    assert messages(app) == []
    app.desk.measurements.delete(item.id)
    assert messages(app) == ['The measurement "length 13.2 mm" was deleted.']


def test_without_a_measurement_the_image_goes_in_and_becomes_a_key_image(
    qtbot: QtBot, app: App, state: ReportState
) -> None:
    app.desk.inserting.insert()
    assert app.desk.key_images.shown_is_key
    assert state.page is not None
    assert state.page.text == "(key image)"
    state.undo()
    assert state.page.text == ""


def test_links_survive_closing_and_opening_the_study(qtbot: QtBot, app: App, state: ReportState) -> None:
    draw(app)
    app.desk.inserting.insert()
    state.save()
    settle(qtbot, app)
    assert state.page is not None
    stored = state.page.stored
    assert stored is not None
    assert stored.document == state.page.document
    assert stored.document.links


def test_a_sentence_of_an_earlier_report_of_the_patient_is_marked_with_its_date(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    first = app.desk.studies.study
    assert first is not None
    state.edit("Nodule of 5 mm. Normal heart.")
    state.save()
    settle(qtbot, app)
    derive_stack(tmp_path, [0.0], StudyInstanceUID="1.2", StudyDate="20260101")
    open_paths(qtbot, app, tmp_path)
    assert app.desk.inserting.earlier_studies() == [first]
    app.actions.actions["insert_from_prior"].trigger()
    settle(qtbot, app)
    assert app.window.chooser is not None
    qtbot.keyClicks(app.window.chooser.typed, "nodule")
    qtbot.keyClick(app.window.chooser.typed, "\r")
    assert state.page is not None
    assert state.page.text == "Nodule of 5 mm."
    assert messages(app) == ['Taken over from the study of 2004-01-19: "5 mm" not confirmed for this patient.']


def with_report(qtbot: QtBot, app: App, folder: Path, text: str, **changes: str) -> None:
    """Open a study of the patient of the sample and write its report."""
    derive_stack(folder, [0.0], StudyInstanceUID=generate_uid(), **changes)
    open_paths(qtbot, app, folder)
    app.desk.report.edit(text)
    app.desk.report.save()
    settle(qtbot, app)


def choices(app: App) -> list[str]:
    chooser = app.window.chooser
    assert chooser is not None
    return [chooser.list.item(row).text() for row in range(chooser.list.count())]


@pytest.mark.parametrize(
    "changes",
    [
        {"StudyDate": "20260101"},
        {"StudyDate": "20040119", "StudyTime": "235900"},
        {"StudyDate": "20040119", "StudyTime": ""},
        {"StudyDate": ""},
    ],
    ids=["later", "later that day", "at an unknown time that day", "on an unknown day"],
)
def test_a_study_that_is_not_known_to_be_earlier_is_never_inserted_from(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path, changes: dict[str, str]
) -> None:
    own = app.desk.studies.study
    assert own is not None
    with_report(qtbot, app, tmp_path, "Large effusion.", **changes)
    app.desk.studies.select(f"{own.uid}/{own.series[0].key}")
    settle(qtbot, app)
    app.actions.actions["insert_from_prior"].trigger()
    settle(qtbot, app)
    assert app.window.chooser is None
    message = app.desk.messages.message
    assert message is not None
    assert (message.kind, message.text) == (PROBLEM, NO_EARLIER_STUDY)
    assert app.desk.inserting.prior_dates() == []


def test_of_several_earlier_studies_one_is_chosen_from_the_newest_first(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    for date in ("20240101", "20260601", "20250101"):
        with_report(qtbot, app, tmp_path / date, f"Seen {date[:4]}.", StudyDate=date)
    derive_stack(tmp_path / "own", [0.0], StudyInstanceUID=generate_uid(), StudyDate="20260101")
    open_paths(qtbot, app, tmp_path / "own")
    app.actions.actions["insert_from_prior"].trigger()
    settle(qtbot, app)
    assert [row[:10] for row in choices(app)] == ["2025-01-01", "2024-01-01", "2004-01-19"]
    assert app.window.chooser is not None
    qtbot.keyClick(app.window.chooser.typed, "\r")
    settle(qtbot, app)
    assert choices(app)[0] == "Seen 2025."


def test_nothing_is_inserted_once_the_study_of_another_patient_is_selected(
    qtbot: QtBot, app: App, state: ReportState, tmp_path: Path
) -> None:
    first = app.desk.studies.study
    assert first is not None
    state.edit("Nodule of 5 mm.")
    state.save()
    settle(qtbot, app)
    derive_stack(tmp_path, [0.0], StudyInstanceUID="1.2", StudyDate="20260101")
    open_paths(qtbot, app, dicom("MR_small.dcm"), tmp_path)
    other = next(one for one in app.desk.studies.studies if one.patient != first.patient)
    own = next(one for one in app.desk.studies.studies if one.uid == "1.2")
    app.desk.studies.select(f"{own.uid}/{own.series[0].key}")
    settle(qtbot, app)
    app.actions.actions["insert_from_prior"].trigger()
    app.desk.studies.select(f"{other.uid}/{other.series[0].key}")
    settle(qtbot, app)
    assert app.window.chooser is None
    app.desk.inserting.take_over_prior(first, "Nodule of 5 mm.")
    assert state.page is not None
    assert (state.page.study, state.page.text) == (other.uid, "")
