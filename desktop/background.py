"""Runs work off the UI thread: the only place in the app that starts threads. Does not know what the work does.

A work request is a plain callable that carries a snapshot of its inputs, mutates nothing that the UI sees, and takes
two functions: `progress` reports progress, `cancelled` says whether to stop. Its result or failure is delivered on the
UI thread; the result of a cancelled or superseded request is dropped.
"""

import contextlib
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QThread, QThreadPool, Signal

from desktop.yielding import Yielding
from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Progress, IsCancelled], T]


class Lane(Enum):
    """Separate thread pools, so that a long import never delays the image on screen. The value is (name, threads)."""

    PICTURE = ("picture", 2)
    PREFETCH = ("prefetch", 2)
    """Frames that may be requested next, in a lane of their own so that a requested frame never waits behind them."""
    THUMBNAIL = ("thumbnail", 1)
    MODEL = ("model", 1)
    STORE = ("store", 1)
    """One thread, so that writes happen in the order of their requests."""
    OPEN = ("open", 2)
    """Separate from imports, which take hours."""
    LONG = ("long", 2)
    NETWORK = ("network", 2)
    """Waits for servers most of the time, so it takes no thread of the others."""


NICE = 10
"""Niceness (see nice(1)) of every worker except those of Lane.PICTURE; the threads of ONNX Runtime inherit it. With two
cores busy with decoding and inference, the UI thread waited 50 ms and more for a core each time it woke up."""
DECODING = (Lane.PICTURE, Lane.PREFETCH)
"""Lanes whose workers never yield: they hold the interpreter lock only briefly, and the user waits for them."""
REPORT_EVERY = 0.05
"""Least seconds between two progress reports to the UI thread, since each one is painted."""


def as_work(function: Callable[..., T], *arguments: Any) -> Work[T]:
    """Wrap a function as work that reports no progress and cannot be interrupted."""
    return lambda progress, cancelled: function(*arguments)


class Job(QObject):
    """One request as the UI thread sees it: title and progress."""

    progressed = Signal()

    def __init__(self, number: int, title: str, key: str, parent: QObject, redacted_title: str = "") -> None:
        super().__init__(parent)
        self.number, self.title, self.key = number, title, key
        self.redacted_title = redacted_title or title
        """Shown while patient data is hidden."""
        self.done, self.total, self.what = 0, 0, ""
        self.stopping = False
        self.paused = False

    def take_progress(self, done: int, total: int, what: str) -> None:
        """Store a progress report and emit `progressed`."""
        self.done, self.total, self.what = done, total, what
        self.progressed.emit()


class _Relay(QObject):
    """Carries a worker's reports to the UI thread; created there, so that the connected slots run there."""

    progress = Signal(int)
    partial_result = Signal(int, object)
    finished = Signal(int, object, object)


class _Runner:
    """The worker's side of one request.

    Not a QRunnable: the Python side of a QThreadPool never frees those, nor the data they hold.
    """

    def __init__(self, number: int, work: Callable[..., Any], relay: _Relay, lane: Lane, yielding: Yielding) -> None:
        self._number, self._relay, self._lane = number, relay, lane
        self._work: Callable[..., Any] | None = work
        self._yielding = yielding
        self.stop = threading.Event()
        self.goes_on = threading.Event()
        """Not set while the work is paused."""
        self.goes_on.set()
        self._lock = threading.Lock()
        self._latest: tuple[int, int, str] | None = None
        self._in_flight = False
        self._reported = 0.0
        self.has_partial_results = False

    def take_progress(self) -> tuple[int, int, str] | None:
        """The latest report that the UI thread has not taken yet."""
        with self._lock:
            latest, self._latest = self._latest, None
            self._in_flight = False
        return latest

    def _report(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        with self._lock:
            self._latest = (done, total, what)
            if self._in_flight or now - self._reported < REPORT_EVERY:
                return
            self._in_flight, self._reported = True, now
        self._relay.progress.emit(self._number)

    def _cancelled(self) -> bool:
        if not self.stop.is_set() and self._lane not in DECODING:
            self._yielding.wait_while_busy()
        self.goes_on.wait()
        return self.stop.is_set()

    def _emit_part(self, part: object) -> None:
        self._relay.partial_result.emit(self._number, part)

    def take(self) -> Callable[..., Any] | None:
        """The work, for the first caller only: the worker, or the UI thread to keep any worker from starting it."""
        with self._lock:
            work, self._work = self._work, None
        return work

    def run(self) -> None:
        """Do the work on the worker's thread and send its outcome."""
        work = self.take()
        if work is not None:
            if self._lane is not Lane.PICTURE:
                _lower_priority()
            self._relay.finished.emit(self._number, *self._outcome(work))

    def _outcome(self, work: Callable[..., Any]) -> tuple[object, BaseException | None]:
        """The result or the failure, whatever its type: no exception may be lost on a worker."""
        try:
            if self._cancelled():  # also yields before the work starts
                raise Cancelled
            if self.has_partial_results:
                return work(self._report, self._cancelled, self._emit_part), None
            return work(self._report, self._cancelled), None
        except BaseException as problem:
            return None, problem


def _lower_priority() -> None:
    """Give the UI thread precedence; only on Linux, where a thread may lower its own priority."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class _Entry:
    def __init__(self, job: Job, runner: _Runner) -> None:
        self.job, self.runner = job, runner
        self.done: Callable[[Any], None] | None = None
        self.partial_result: Callable[[Any], None] | None = None
        self.failed: Callable[[BaseException], None] | None = None
        self.cancelled: Callable[[], None] | None = None
        self.stopped: Callable[[Any], None] | None = None
        self.shows_failure = False
        self.superseded = False


class Background(QObject):
    """Starts, reports, supersedes and cancels background work."""

    started = Signal(Job)
    ended = Signal(Job)
    problem = Signal(object)
    """The exception, with its traceback, of a failure that was not shown yet."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._entries: dict[int, _Entry] = {}
        self._relay = _Relay(self)
        self._relay.progress.connect(self._on_progress)
        self._relay.partial_result.connect(self._on_partial_result)
        self._relay.finished.connect(self._on_finished)
        self._yielding = Yielding(self)
        self._pools: dict[Lane, QThreadPool] = {}
        for lane in Lane:
            pool = QThreadPool(self)
            pool.setMaxThreadCount(lane.value[1])
            self._pools[lane] = pool

    def start(
        self,
        work: Callable[..., T],
        done: Callable[[T], None],
        *,
        title: str = "",
        redacted_title: str = "",
        key: str = "",
        lane: Lane = Lane.LONG,
        urgent: bool = False,
        failed: Callable[[BaseException], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        stopped: Callable[[T], None] | None = None,
        partial_result: Callable[[Any], None] | None = None,
        shows_failure: bool = False,
    ) -> Job:
        """Run `work(progress, cancelled)` on a worker, then call one of its four callbacks on the UI thread.

        Args:
            title: shown with the progress in the status bar; a job without one is not shown.
            redacted_title: shown instead while patient data is hidden, where `title` may name a patient.
            key: a newer request with the same key supersedes this one, and none of its callbacks is called.
            urgent: run before the other waiting requests of the same lane.
            stopped: takes the result of work that was cancelled and returned what it had done by then; without it, or
                without a result, `cancelled` is called.
            partial_result: takes parts of the result as they arrive; the work then gets a third argument, the function
                that sends a part.
            failed: cleans up; `problem` is emitted after it.
            shows_failure: `failed` shows a UserError itself, so `problem` is emitted for other failures only.

        Raises:
            RuntimeError: it was not called on the UI thread.
        """
        if QThread.currentThread() is not self.thread():
            raise RuntimeError("Background work must be requested on the UI thread")
        if key:
            self.drop(key)
        number = next(self._numbers)
        runner = _Runner(number, work, self._relay, lane, self._yielding)
        entry = _Entry(Job(number, title, key, self, redacted_title), runner)
        entry.done, entry.failed, entry.cancelled = done, failed, cancelled
        entry.stopped = stopped
        entry.partial_result, entry.shows_failure = partial_result, shows_failure
        runner.has_partial_results = partial_result is not None
        self._entries[number] = entry
        self._yielding.set_active(True)
        self.started.emit(entry.job)
        self._pools[lane].start(runner.run, 1 if urgent else 0)
        return entry.job

    def cancel(self, job: Job) -> None:
        """Ask a job to stop; its `cancelled` callback is called once it has stopped."""
        entry = self._entries.get(job.number)
        if entry is None or job.stopping:
            return
        job.stopping, job.paused = True, False
        entry.runner.stop.set()
        entry.runner.goes_on.set()
        job.progressed.emit()
        if entry.runner.take() is not None:
            self._on_finished(job.number, None, Cancelled())

    def pause(self, job: Job, paused: bool = True) -> None:
        """Let a job wait where it next asks whether it is cancelled, or go on; it keeps its thread."""
        entry = self._entries.get(job.number)
        if entry is None or job.stopping:
            return
        job.paused = paused
        if paused:
            entry.runner.goes_on.clear()
        else:
            entry.runner.goes_on.set()
        job.progressed.emit()

    def drop(self, key: str) -> None:
        """Cancel the requests with this key and drop their results."""
        for entry in [entry for entry in self._entries.values() if entry.job.key == key]:
            entry.superseded = True
            self.cancel(entry.job)

    def idle(self, visible_only: bool = False) -> bool:
        """Whether no job is waiting or running; with `visible_only`, none that has a title."""
        return not any(entry.job.title or not visible_only for entry in self._entries.values())

    def close(self, wait_ms: int = 10_000) -> bool:
        """Cancel everything and wait for the workers; False when one did not end in time."""
        for entry in list(self._entries.values()):
            entry.superseded = True
            self.cancel(entry.job)
        ended = [pool.waitForDone(wait_ms) for pool in self._pools.values()]
        return all(ended)

    def _on_progress(self, number: int) -> None:
        entry = self._entries.get(number)
        latest = entry.runner.take_progress() if entry else None
        if entry and latest:
            entry.job.take_progress(*latest)

    def _on_partial_result(self, number: int, part: object) -> None:
        entry = self._entries.get(number)
        if entry and entry.partial_result and not entry.superseded and not entry.job.stopping:
            entry.partial_result(part)

    def _on_finished(self, number: int, result: object, error: BaseException | None) -> None:
        self._on_progress(number)  # the last report may have been held back by REPORT_EVERY
        entry = self._entries.pop(number, None)
        if entry is None:
            return
        self._yielding.set_active(bool(self._entries))
        try:
            if (
                error is not None
                and not isinstance(error, (Cancelled, UserError))
                and (entry.superseded or entry.job.stopping)
            ):
                log.warning("A cancelled or superseded request failed", exc_info=error)
            if entry.superseded:
                return
            if isinstance(error, Cancelled) or entry.job.stopping:
                if error is None and entry.stopped:
                    entry.stopped(result)
                elif entry.cancelled:
                    entry.cancelled()
            elif error is not None:
                if entry.failed:
                    entry.failed(error)
                if not entry.shows_failure or not isinstance(error, UserError):
                    self.problem.emit(error)
            elif entry.done:
                entry.done(result)
        finally:
            self.ended.emit(entry.job)
            entry.job.deleteLater()
