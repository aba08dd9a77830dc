"""Workers yield while a long event keeps the UI thread busy, and never for long."""

import threading

import pytest
from PySide6.QtCore import QEventLoop, QTimer

from desktop import yielding
from desktop.background import Background, Lane
from engine.progress import IsCancelled, Progress


class Polling:
    """Work that, once released, checks a single time whether it was cancelled."""

    def __init__(self) -> None:
        self.go, self.passed = threading.Event(), threading.Event()

    def __call__(self, progress: Progress, cancelled: IsCancelled) -> None:
        assert self.go.wait(20)
        cancelled()
        self.passed.set()


def in_one_event(background: Background, polling: Polling, patience: float, lane: Lane = Lane.LONG) -> bool:
    """Whether the work got past its check while one event of the UI thread lasted."""
    loop, passed = QEventLoop(), list[bool]()

    def event() -> None:
        polling.go.set()
        passed.append(polling.passed.wait(patience))

    background.start(polling, lambda _: loop.quit(), lane=lane)
    QTimer.singleShot(0, event)
    loop.exec()
    return passed[0]


def test_a_worker_waits_for_the_end_of_a_long_event(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "BUSY_AFTER", -1.0)
    monkeypatch.setattr(yielding, "LONGEST", 20.0)
    assert not in_one_event(background, Polling(), patience=0.2)


@pytest.mark.parametrize("lane", [Lane.PICTURE, Lane.PREFETCH])
def test_decoding_lanes_never_yield(background: Background, monkeypatch: pytest.MonkeyPatch, lane: Lane) -> None:
    monkeypatch.setattr(yielding, "BUSY_AFTER", -1.0)
    monkeypatch.setattr(yielding, "LONGEST", 60.0)
    assert in_one_event(background, Polling(), patience=20, lane=lane)


def test_a_worker_continues_during_a_short_event(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yielding, "BUSY_AFTER", 60.0)
    monkeypatch.setattr(yielding, "LONGEST", 60.0)
    assert in_one_event(background, Polling(), patience=20)


def test_a_worker_continues_however_busy_the_ui_thread_is(
    background: Background, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yielding, "BUSY_AFTER", -1.0)
    assert in_one_event(background, Polling(), patience=20)
