"""The measurement list over the real window: updates, keys, and readings of frames that are not on screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.actions import COMMANDS
from desktop.app import App
from desktop.state.measure.measurement_list import NOT_OPEN, UNREADABLE
from desktop.views.viewer.measurement_list import EMPTY, NO_STUDY, MeasurementList
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.measure.test_measuring import LEFT, centre, choose, drag, screen_point
from tests.engine.dicom_samples import dataset, derive_stack

CONTROL = Qt.KeyboardModifier.ControlModifier
Cells = list[tuple[str, ...]]


@pytest.fixture
def listed(qtbot: QtBot, app: App) -> Iterator[MeasurementList]:
    app.actions.actions["list_measurements"].trigger()
    shown = app.window.findChild(MeasurementList)
    assert shown is not None
    qtbot.waitUntil(shown.isActiveWindow)
    yield shown
    for left in app.window.findChildren(MeasurementList):
        left.close()
        left.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def cells(shown: MeasurementList) -> Cells:
    model = shown.model
    return [tuple(model.item(row, column).text() for column in range(4)) for row in range(model.rowCount())]


def put(app: App, kind: str, *points: tuple[float, float], frame: int = -1) -> Measurement:
    """Add a measurement to a frame of the active stack, by default to the one on screen."""
    series = app.desk.viewport.series
    assert series is not None
    ref = series.frames[app.desk.viewport.index if frame < 0 else frame]
    made = Measurement(kind, points, ref.image.sop_uid, ref.frame, series.uid)
    app.desk.measurements.add(made)
    return made


def press(qtbot: QtBot, shown: MeasurementList, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    shown.activateWindow()
    qtbot.waitUntil(shown.isActiveWindow)
    qtbot.keyClick(shown.table, key, held or Qt.KeyboardModifier.NoModifier)


def pick(qtbot: QtBot, app: App, shown: MeasurementList, item: Measurement) -> None:
    """Select a row. table.selectRow would react to modifier keys that earlier tests held."""
    app.desk.measurements.select("")
    app.desk.measurements.select(item.id)
    qtbot.waitUntil(lambda: shown.selected() == [item.id])


def to_the_image(qtbot: QtBot, app: App) -> None:
    app.window.activateWindow()
    qtbot.waitUntil(app.window.isActiveWindow)


def rows_become(qtbot: QtBot, shown: MeasurementList, count: int) -> None:
    qtbot.waitUntil(lambda: shown.model.rowCount() == count)


def test_without_measurements_it_says_how_to_draw_one(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    assert listed.empty.text() == NO_STUDY
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    qtbot.waitUntil(lambda: listed.empty.text() == EMPTY)
    assert listed.stack.currentWidget() is listed.empty
    length = next(command for command in COMMANDS if command.name == "tool_length")
    assert f"{length.menu} menu, such as {length.text} ({length.shortcuts[0]})" in EMPTY


def test_it_follows_drawing_dragging_undoing_and_deleting(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    to_the_image(qtbot, app)
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [centre(app, -100, 0), centre(app, 100, 0)])
    rows_become(qtbot, listed, 1)
    assert listed.stack.currentWidget() is listed.table
    kind, before, image, series = cells(listed)[0]
    assert (kind, image, series) == ("Length", "1", "1")
    assert before.endswith(" mm")
    choose(qtbot, app, Qt.Key.Key_W)
    view = app.window.viewport
    qtbot.mousePress(view, LEFT, pos=centre(app, 100, 0))
    qtbot.mouseMove(view, centre(app, 100, 80))
    qtbot.waitUntil(lambda: cells(listed)[0][1] != before)  # while it is still dragged
    qtbot.mouseRelease(view, LEFT, pos=centre(app, 100, 80))
    app.desk.measurements.undo()
    qtbot.waitUntil(lambda: cells(listed)[0][1] == before)
    app.desk.measurements.delete_all()
    rows_become(qtbot, listed, 0)
    assert listed.stack.currentWidget() is listed.empty


def test_it_shows_the_study_on_screen(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    put(app, "length", (10, 10), (50, 10))
    rows_become(qtbot, listed, 1)
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    rows_become(qtbot, listed, 0)
    app.desk.studies.step(-1)
    rows_become(qtbot, listed, 1)
    app.desk.studies.close_all()
    rows_become(qtbot, listed, 0)
    assert listed.empty.text() == NO_STUDY


def test_values_of_frames_that_are_not_on_screen_are_read_in_the_background(
    qtbot: QtBot, app: App, tmp_path: Path, listed: MeasurementList
) -> None:
    app.desk.frames.set_limit(0)  # nothing stays decoded
    derive_stack(tmp_path, [0, 3, 6, 9])
    open_paths(qtbot, app, tmp_path)
    seen: list[Cells] = []
    app.desk.measurement_list.changed.connect(lambda: seen.append(cells(listed)))
    put(app, "probe", (100.5, 60.5), frame=3)
    put(app, "length", (10, 10), (50, 10), frame=3)
    put(app, "rectangle", (20, 30), (60, 50), frame=2)
    rows_become(qtbot, listed, 3)
    first = next(rows for rows in seen if len(rows) == 3)
    assert [row[2] for row in first] == ["4", "4", "3"]
    assert first[0][1] == "…"
    assert first[1][1].endswith("mm")
    assert first[2][1].endswith("cm² …")  # the area needs no pixels
    settle(qtbot, app)
    source = dataset("CT_small.dcm")
    values = source.pixel_array * float(source.RescaleSlope) + float(source.RescaleIntercept)
    part = values[30:50, 20:60]
    assert cells(listed)[0][1] == f"{values[60, 100]:,.0f} HU"
    assert f" · min {part.min():,.0f} · max {part.max():,.0f} · n {part.size}" in cells(listed)[2][1]
    assert app.desk.viewport.index == 0


def test_without_its_file_a_measurement_keeps_the_numbers_that_need_no_pixels(
    qtbot: QtBot, app: App, tmp_path: Path, listed: MeasurementList
) -> None:
    app.desk.frames.set_limit(0)
    derive_stack(tmp_path / "gone", [0, 3, 6])
    open_paths(qtbot, app, tmp_path / "gone")
    for path in (tmp_path / "gone").iterdir():
        path.unlink()
    put(app, "length", (10, 10), (50, 10), frame=2)
    put(app, "ellipse", (20, 30), (60, 50), frame=2)
    rows_become(qtbot, listed, 2)
    settle(qtbot, app)
    assert cells(listed)[0][1].endswith("mm")
    assert cells(listed)[1][1].endswith(f"cm² · {UNREADABLE}")
    assert app.desk.messages.message is None


def test_a_measurement_on_an_image_that_is_not_open_is_marked(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.measurements.add(Measurement("length", ((0, 0), (9, 9)), "1.2.3"))
    rows_become(qtbot, listed, 1)
    assert cells(listed) == [("Length", "", "", NOT_OPEN)]


def test_enter_and_double_click_show_the_image_and_select_the_measurement(
    qtbot: QtBot, app: App, tmp_path: Path, listed: MeasurementList
) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9])
    open_paths(qtbot, app, tmp_path)
    first, second = (put(app, "length", (10, 10), (50, 10), frame=frame) for frame in (1, 3))
    app.desk.measurements.set_visible(False)
    rows_become(qtbot, listed, 2)
    pick(qtbot, app, listed, first)
    press(qtbot, listed, Qt.Key.Key_Return)
    assert (app.desk.viewport.index, app.desk.measurements.selected) == (1, first.id)
    assert app.desk.measurements.visible  # what one asks for is seen
    where = listed.table.visualRect(listed.model.index(1, 1)).center()
    QTest.mouseClick(listed.table.viewport(), LEFT, pos=where)
    QTest.mouseDClick(listed.table.viewport(), LEFT, pos=where)
    assert (app.desk.viewport.index, app.desk.measurements.selected) == (3, second.id)


def test_the_selection_in_the_image_is_selected_in_the_list(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    first = put(app, "length", (10, 10), (50, 10))
    second = put(app, "length", (10, 60), (50, 60))
    qtbot.waitUntil(lambda: listed.selected() == [second.id])
    pick(qtbot, app, listed, first)


@pytest.mark.parametrize("key", [Qt.Key.Key_Delete, Qt.Key.Key_Backspace])
def test_the_selected_rows_are_deleted_and_undone_in_one_step(
    qtbot: QtBot, app: App, listed: MeasurementList, key: Qt.Key
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    drawn = [put(app, "length", (10, row), (50, row)) for row in (10, 30, 50, 70)]
    rows_become(qtbot, listed, 4)
    pick(qtbot, app, listed, drawn[0])
    press(qtbot, listed, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert listed.selected() == [drawn[0].id, drawn[1].id]
    press(qtbot, listed, key)
    rows_become(qtbot, listed, 2)
    assert app.desk.measurements.of_study() == tuple(drawn[2:])
    press(qtbot, listed, Qt.Key.Key_Z, CONTROL)
    rows_become(qtbot, listed, 4)
    assert app.desk.measurements.of_study() == tuple(drawn)
    press(qtbot, listed, Qt.Key.Key_Y, CONTROL)
    rows_become(qtbot, listed, 2)


def test_after_deleting_the_next_row_is_selected_and_deleting_the_last_one_can_be_undone(
    qtbot: QtBot, app: App, listed: MeasurementList
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    first, second = (put(app, "length", (10, row), (50, row)) for row in (10, 30))
    pick(qtbot, app, listed, first)
    press(qtbot, listed, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: listed.selected() == [second.id])
    press(qtbot, listed, Qt.Key.Key_Delete)
    rows_become(qtbot, listed, 0)
    qtbot.keyClick(listed, Qt.Key.Key_Z, CONTROL)
    rows_become(qtbot, listed, 1)


def test_rows_are_copied_without_the_patients_identity(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    first = put(app, "length", (10, 10), (50, 10))
    put(app, "angle", (10, 10), (10, 50), (50, 50))
    app.desk.measurements.select("")
    rows_become(qtbot, listed, 2)
    listed.table.clearSelection()
    press(qtbot, listed, Qt.Key.Key_C, CONTROL)
    copied = QGuiApplication.clipboard().text()
    millimetres = 40 * float(dataset("CT_small.dcm").PixelSpacing[1])
    assert copied == f"Length\t{millimetres:.1f} mm\timage 1\tseries 1\nAngle\t90.0°\timage 1\tseries 1"
    assert "2 measurements copied" in listed.count.text()
    pick(qtbot, app, listed, first)
    press(qtbot, listed, Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text() == copied.splitlines()[0]


def test_the_description_of_a_series_is_shown_and_not_copied(
    qtbot: QtBot, app: App, tmp_path: Path, listed: MeasurementList
) -> None:
    derive_stack(tmp_path, [0, 3], SeriesDescription="seen by Dr Who")
    open_paths(qtbot, app, tmp_path)
    put(app, "length", (10, 10), (50, 10))
    rows_become(qtbot, listed, 1)
    assert cells(listed)[0][3] == "1: seen by Dr Who"
    assert "Who" not in app.desk.measurement_list.text()


def test_a_measurement_on_an_mpr_plane_is_shown_in_the_viewport_of_that_plane(
    qtbot: QtBot, app: App, tmp_path: Path, listed: MeasurementList
) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    stack = app.desk.viewport.series
    app.actions.actions["mpr"].trigger()
    settle(qtbot, app)
    axial, coronal = app.desk.layout.viewports[:2]
    app.desk.layout.activate(coronal)
    drawn = put(app, "length", (10, 1), (50, 1), frame=7)
    app.desk.layout.activate(axial)
    rows_become(qtbot, listed, 1)
    assert cells(listed)[0][2:] == ("8", "1: derived for tests: Coronal")
    pick(qtbot, app, listed, drawn)
    press(qtbot, listed, Qt.Key.Key_Enter)
    assert app.desk.layout.active is coronal
    assert (coronal.index, app.desk.measurements.selected) == (7, drawn.id)
    app.actions.actions["mpr"].trigger()
    qtbot.waitUntil(lambda: cells(listed)[-1:] == [("Length", "", "", NOT_OPEN)])
    assert app.desk.viewport.series is stack


def test_escape_closes_it_and_stops_reading(qtbot: QtBot, app: App, listed: MeasurementList) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    put(app, "length", (10, 10), (50, 10))
    rows_become(qtbot, listed, 1)
    press(qtbot, listed, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: app.window.findChild(MeasurementList) is None)
    app.desk.measurements.delete_all()
    to_the_image(qtbot, app)
    choose(qtbot, app, Qt.Key.Key_P)
    qtbot.mouseClick(app.window.viewport, LEFT, pos=screen_point(app, (60.5, 60.5)))
    assert len(app.desk.measurement_list.rows) == 1  # nobody looks


def test_opening_it_again_shows_the_same_window(app: App, listed: MeasurementList) -> None:
    app.actions.actions["list_measurements"].trigger()
    assert app.window.findChildren(MeasurementList) == [listed]
    assert app.actions.actions["list_measurements"].shortcuts() == [QKeySequence("Ctrl+Shift+D")]
