"""Measurements are never deleted or drawn unseen, lost by undo, or left half drawn."""

import gc
import weakref
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.viewport import ViewportState
from engine.measure.measurements import as_dict
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.measure.test_measuring import LEFT, centre, choose, drag
from tests.engine.dicom_samples import derive_stack


def draw(qtbot: QtBot, app: App, down: int = 0) -> None:
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [centre(app, -100, down), centre(app, 100, down)])


def test_delete_spares_a_measurement_on_another_slice(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    draw(qtbot, app)
    app.desk.viewport.scroll(1)
    qtbot.waitUntil(app.desk.background.idle)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Delete)
    assert len(app.desk.measurements.of_study()) == 1
    app.desk.viewport.scroll(-1)
    qtbot.waitUntil(app.desk.background.idle)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Delete)
    assert app.desk.measurements.of_study() == ()


def test_delete_spares_a_hidden_measurement(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    draw(qtbot, app)
    app.actions.actions["show_measurements"].trigger()
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Delete)
    app.desk.measurements.delete_selected()
    assert len(app.desk.measurements.of_study()) == 1


def test_drawing_brings_hidden_measurements_back(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.actions.actions["show_measurements"].trigger()
    draw(qtbot, app)
    assert len(app.desk.measurements.on(app.desk.viewport)) == 1


def test_undo_never_removes_stored_measurements(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    draw(qtbot, app)
    draw(qtbot, app, down=40)
    state, study = app.desk.measurements, app.desk.viewport.study
    assert study is not None
    first, second = state.of_study()
    state.undo()
    state._items[study.uid], state._past[study.uid] = (second,), [()]  # the first lies in the store, not read yet
    state._add_stored(study.uid, [as_dict(first)])
    assert state.of_study() == (first, second)
    state.undo()
    assert state.of_study() == (first,)


def test_a_second_button_does_not_leave_a_drag_unfinished(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    draw(qtbot, app)
    before = app.desk.measurements.of_study()[0]
    view = app.window.viewport
    choose(qtbot, app, Qt.Key.Key_W)
    qtbot.mousePress(view, LEFT, pos=centre(app, 100, 0))
    qtbot.mouseMove(view, centre(app, 100, 60))
    qtbot.mousePress(view, Qt.MouseButton.RightButton, pos=centre(app, 100, 60))
    qtbot.mouseRelease(view, Qt.MouseButton.RightButton, pos=centre(app, 100, 60))
    assert app.desk.measurements.draft is not None
    qtbot.mouseRelease(view, LEFT, pos=centre(app, 100, 60))
    assert app.desk.measurements.draft is None
    assert app.desk.measurements.of_study()[0].points != before.points


def test_a_listed_measurement_of_another_series_is_shown(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path / "one", [0, 3, 6], SeriesInstanceUID="1.2.3.1", StudyInstanceUID="1.2.3")
    derive_stack(tmp_path / "two", [0, 3, 6], SeriesInstanceUID="1.2.3.2", StudyInstanceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    app.desk.viewport.go_to(2)
    qtbot.waitUntil(app.desk.background.idle)
    draw(qtbot, app)
    drawn, where = app.desk.measurements.of_study()[0], app.desk.viewport.series
    app.desk.studies.step(1)
    app.desk.studies.step(1)
    qtbot.waitUntil(app.desk.background.idle)
    assert app.desk.viewport.series is not where
    app.desk.measurements.go_to(drawn.id)
    assert app.desk.viewport.series is where
    assert app.desk.viewport.index == 2


def test_undo_shows_the_slice_that_it_affects(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    draw(qtbot, app)
    drawn_on = app.desk.viewport.index
    app.desk.viewport.go_to(3)
    settle(qtbot, app)
    app.desk.measurements.undo()
    assert app.desk.measurements.of_study() == ()
    assert app.desk.viewport.index == drawn_on != 3


def test_escape_cancels_the_drag_of_a_handle(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    draw(qtbot, app)
    (before,) = app.desk.measurements.of_study()
    view = app.window.viewport
    qtbot.mousePress(view, LEFT, pos=centre(app, 100))
    qtbot.mouseMove(view, centre(app, 140, 30))
    assert app.desk.measurements.draft is not None
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.mouseMove(view, centre(app, 160, 50))
    qtbot.mouseRelease(view, LEFT, pos=centre(app, 160, 50))
    assert app.desk.measurements.of_study() == (before,)


def test_cached_readings_do_not_keep_their_frame_in_memory(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    choose(qtbot, app, Qt.Key.Key_Q)
    drag(qtbot, app, [centre(app), centre(app, 30, 30)])
    picture = app.desk.viewport.picture
    assert picture is not None
    (item,) = app.desk.measurements.of_study()
    mean = app.desk.measurements.reading(item, picture.ref, picture.pixels)
    frame = weakref.ref(picture.pixels)
    del picture
    app.desk.viewport.scroll(1)
    qtbot.waitUntil(app.desk.background.idle)
    app.desk.frames.set_limit(0)
    gc.collect()
    assert frame() is None
    app.desk.viewport.scroll(-1)
    qtbot.waitUntil(app.desk.background.idle)
    again = app.desk.viewport.picture
    assert again is not None
    assert app.desk.measurements.reading(item, again.ref, again.pixels) == mean


def two_patients(qtbot: QtBot, app: App) -> tuple[ViewportState, ViewportState]:
    """Side by side, the first active."""
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    for viewport, study in zip((first, second), app.desk.studies.studies, strict=True):
        viewport.show(study, study.series[0])
    app.desk.layout.activate(first)
    settle(qtbot, app)
    return first, second


@pytest.mark.parametrize("key", [Qt.Key.Key_D, Qt.Key.Key_G])
def test_a_drawing_stays_with_its_patient_when_another_viewport_becomes_active(
    qtbot: QtBot, app: App, key: Qt.Key
) -> None:
    first, second = two_patients(qtbot, app)
    view, state = app.window.viewport, app.desk.measurements
    choose(qtbot, app, key)
    qtbot.mousePress(view, LEFT, pos=centre(app, -60, -60))
    for screen_point in (centre(app, 60, -60), centre(app, 60, 60)):
        qtbot.mouseMove(view, screen_point)
    end = centre(app, 60, 60)
    app.actions.actions["next_viewport"].trigger()
    assert app.desk.viewport is second
    qtbot.mouseRelease(view, LEFT, pos=end)
    assert state.of_study() == ()
    app.desk.layout.activate(first)
    (made,) = state.of_study()
    assert state.on(first) == (made,)
    state.undo()
    assert state.of_study() == ()


def test_a_moved_handle_stays_moved_when_another_viewport_becomes_active(qtbot: QtBot, app: App) -> None:
    first, _ = two_patients(qtbot, app)
    view, state = app.window.viewport, app.desk.measurements
    draw(qtbot, app)
    (before,) = state.of_study()
    choose(qtbot, app, Qt.Key.Key_W)
    end = centre(app, 100, 60)
    qtbot.mousePress(view, LEFT, pos=centre(app, 100, 0))
    qtbot.mouseMove(view, end)
    app.actions.actions["next_viewport"].trigger()
    qtbot.mouseRelease(view, LEFT, pos=end)
    app.desk.layout.activate(first)
    assert [item.id for item in state.of_study()] == [before.id]
    assert state.of_study()[0].points != before.points
