"""Cine: the frame rate of the file, frames skipped rather than slowed down, looping, and stopping."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.cine import DEFAULT_RATE, CineState, frame_rate
from desktop.state.viewer.viewport import ViewportState
from tests.desktop.conftest import dicom, open_paths, settle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cine(qtbot: QtBot, app: App, clock: Clock) -> Iterator[CineState]:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    made = CineState(app.desk.layout, clock, app.desk)
    set_frame_time(app.desk.viewport, 50.0)
    yield made
    made.stop()


def set_frame_time(viewport: ViewportState, time_ms: float | None) -> None:
    assert viewport.study is not None
    assert viewport.series is not None
    frames = tuple(replace(frame, image=replace(frame.image, frame_time=time_ms)) for frame in viewport.series.frames)
    viewport.show(viewport.study, replace(viewport.series, frames=frames))


def test_frames_follow_the_clock_at_the_rate_of_the_file(app: App, cine: CineState, clock: Clock) -> None:
    cine.toggle()
    shown = []
    for _ in range(12):
        cine.tick()
        shown.append(app.desk.viewport.index)
        clock.now += 0.0501
    assert shown == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_a_slow_machine_skips_frames(app: App, cine: CineState, clock: Clock) -> None:
    cine.toggle()
    clock.now += 0.36
    cine.tick()
    assert app.desk.viewport.index == 7


def test_it_starts_from_the_frame_shown(app: App, cine: CineState, clock: Clock) -> None:
    app.desk.viewport.go_to(4)
    cine.toggle()
    clock.now += 0.051
    cine.tick()
    assert app.desk.viewport.index == 5


def test_faster_and_slower_change_the_rate_from_there_on(app: App, cine: CineState, clock: Clock) -> None:
    cine.toggle()
    cine.change_speed(2)
    assert cine.rate() == 40
    clock.now += 0.0251
    cine.tick()
    assert app.desk.viewport.index == 1


def test_a_stack_without_a_rate_plays_at_the_default_rate(app: App, cine: CineState) -> None:
    set_frame_time(app.desk.viewport, None)
    assert frame_rate(app.desk.viewport) == DEFAULT_RATE


def test_a_single_image_does_not_play_and_another_series_ends_it(qtbot: QtBot, app: App, cine: CineState) -> None:
    cine.toggle()
    assert cine.playing
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.studies.select(
        next(
            f"{study.uid}/{series.key}"
            for study in app.desk.studies.studies
            for series in study.series
            if series.modality == "CT"
        )
    )
    settle(qtbot, app)
    assert not cine.playing
    cine.toggle()
    assert not cine.playing


def test_the_command_plays_the_real_window(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.actions.actions["play_cine"].trigger()
    assert app.actions.actions["play_cine"].isChecked()
    qtbot.waitUntil(lambda: app.desk.viewport.index >= 2, timeout=10_000)
    app.actions.actions["play_cine"].trigger()
    assert not app.desk.cine.playing
    settle(qtbot, app)


def test_a_reader_who_scrolls_while_it_plays_goes_on_from_there(app: App, cine: CineState, clock: Clock) -> None:
    cine.toggle()
    clock.now += 0.0501
    cine.tick()
    app.desk.viewport.go_to(6)
    cine.tick()
    assert app.desk.viewport.index == 6
    clock.now += 0.0501
    cine.tick()
    assert app.desk.viewport.index == 7


def test_another_series_plays_from_its_first_frame(app: App, cine: CineState, clock: Clock) -> None:
    cine.toggle()
    clock.now += 0.16
    cine.tick()
    viewport = app.desk.viewport
    viewport.show(viewport.study, viewport.series, 0)
    cine.tick()
    assert viewport.index == 0


def test_a_slow_series_keeps_its_own_rate(app: App, cine: CineState) -> None:
    set_frame_time(app.desk.viewport, 4000.0)
    assert cine.rate() == pytest.approx(0.25)


def test_the_rate_is_written_in_the_corner_while_it_plays(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.desk.cine.toggle()
    assert annotate(app.desk.viewport).bottom_left[0] == "Cine 12 fps"
    app.desk.cine.change_speed(1.25)
    assert annotate(app.desk.viewport).bottom_left[0] == "Cine 15 fps"
    app.desk.cine.toggle()
    assert not any("Playing" in line for line in annotate(app.desk.viewport).bottom_left)


def test_a_stack_that_is_no_longer_in_sight_does_not_play_on(qtbot: QtBot, app: App, cine: CineState) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    second = app.desk.layout.viewports[1]
    second.show(app.desk.viewport.study, app.desk.viewport.series)
    app.desk.layout.activate(second)
    cine.toggle()
    app.desk.layout.activate(app.desk.layout.viewports[0])
    assert cine.playing
    app.desk.layout.set_grid(1, 1)
    assert second not in app.desk.layout.viewports
    assert not cine.playing
