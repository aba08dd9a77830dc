"""Runs work off the UI thread: the only place in the app that starts threads. Knows nothing of what the work is.

A work request is a plain callable that carries a snapshot of its inputs, mutates nothing that the UI sees, and gets
two functions: `progress` to report with and `cancelled` to ask. Its answer, or its failure, comes back on the UI
thread, to a QObject that was created there; the answer of a request that was cancelled or replaced is dropped.
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

from desktop.yielding import RightOfWay
from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Progress, IsCancelled], T]


class Lane(Enum):
    """Separate threads, so that a long import never delays the picture on the screen. The value is how many threads."""

    PICTURE = ("picture", 2)
    PREFETCH = ("prefetch", 2)
    """Frames that may be asked for next: apart, so that the one that is asked for never waits behind them."""
    THUMBNAIL = ("thumbnail", 1)
    MODEL = ("model", 1)
    STORE = ("store", 1)
    """One thread, so that what is saved later is saved last."""
    OPEN = ("open", 2)
    """Apart from the imports, which take hours."""
    LONG = ("long", 2)


NICE = 10
"""Of every worker but those of the picture on screen, as nice(1) counts; the threads of ONNX Runtime inherit it. With
two cores full of decoding and inference the UI thread waited 50 ms and more for one of them each time it woke up."""
DECODING = (Lane.PICTURE, Lane.PREFETCH)
"""Their workers hold the interpreter hardly at all, and are what the user waits for: they give way to nobody."""
REPORT_EVERY = 0.05
"""Seconds between two reports of progress that the UI thread hears of: nobody reads faster, and each one is painted."""


def simply(function: Callable[..., T], *arguments: Any) -> Work[T]:
    """Work that can neither be stopped half way nor tell how far it is."""
    return lambda progress, cancelled: function(*arguments)


class Job(QObject):
    """One request as the UI thread sees it: title, progress, and a way to stop it."""

    progressed = Signal()

    def __init__(self, number: int, title: str, key: str, parent: QObject, public: str = "") -> None:
        super().__init__(parent)
        self.number, self.title, self.key, self.public = number, title, key, public or title
        self.done, self.total, self.what = 0, 0, ""
        self.stopping = False

    def take_progress(self, done: int, total: int, what: str) -> None:
        self.done, self.total, self.what = done, total, what
        self.progressed.emit()


class _Relay(QObject):
    """Carries a worker's words to the UI thread; created there, so that its slots run there."""

    progress = Signal(int)
    found = Signal(int, object)
    finished = Signal(int, object, object)


class _Runner:
    """The worker's side of one request.

    No QRunnable: the Python side of a QThreadPool keeps each of those for ever, with all that it worked on.
    """

    def __init__(
        self, number: int, work: Callable[..., Any], relay: _Relay, lane: Lane, right_of_way: RightOfWay
    ) -> None:
        self._number, self._relay, self._lane = number, relay, lane
        self._work: Callable[..., Any] | None = work
        self._right_of_way = right_of_way
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._latest: tuple[int, int, str] | None = None
        self._in_flight = False
        self._reported = 0.0
        self.tells = False

    def take_progress(self) -> tuple[int, int, str] | None:
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
            self._right_of_way.give()
        return self.stop.is_set()

    def _tell(self, part: object) -> None:
        self._relay.found.emit(self._number, part)

    def take(self) -> Callable[..., Any] | None:
        """The work, for whoever asks first: the worker, or the UI thread, after which no worker will begin it."""
        with self._lock:
            work, self._work = self._work, None
        return work

    def run(self) -> None:
        work = self.take()
        if work is not None:
            if self._lane is not Lane.PICTURE:
                _step_back()
            self._relay.finished.emit(self._number, *self._outcome(work))

    def _outcome(self, work: Callable[..., Any]) -> tuple[object, BaseException | None]:
        """The answer, or the failure: every one is delivered, nothing may die unseen on a worker."""
        try:
            if self._cancelled():  # and gives way before it begins
                raise Cancelled
            if self.tells:
                return work(self._report, self._cancelled, self._tell), None
            return work(self._report, self._cancelled), None
        except BaseException as problem:
            return None, problem


def _step_back() -> None:
    """Let the UI thread have a core first, where threads have priorities of their own that anyone may lower (Linux)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


class _Entry:
    def __init__(self, job: Job, runner: _Runner) -> None:
        self.job, self.runner = job, runner
        self.done: Callable[[Any], None] | None = None
        self.found: Callable[[Any], None] | None = None
        self.failed: Callable[[BaseException], None] | None = None
        self.cancelled: Callable[[], None] | None = None
        self.shows_failure = False
        self.replaced = False


class Background(QObject):
    """Starts, reports, replaces and cancels background work."""

    started = Signal(Job)
    ended = Signal(Job)
    problem = Signal(object)
    """A failure that nobody showed yet: the exception, with its traceback."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._numbers = itertools.count(1)
        self._entries: dict[int, _Entry] = {}
        self._relay = _Relay(self)
        self._relay.progress.connect(self._on_progress)
        self._relay.found.connect(self._on_found)
        self._relay.finished.connect(self._on_finished)
        self._right_of_way = RightOfWay(self)
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
        public: str = "",
        key: str = "",
        lane: Lane = Lane.LONG,
        urgent: bool = False,
        failed: Callable[[BaseException], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        found: Callable[[Any], None] | None = None,
        shows_failure: bool = False,
    ) -> Job:
        """Run `work(progress, cancelled)` on a worker; one of done, failed and cancelled follows on the UI thread.

        Args:
            title: shown with the progress in the status bar; a job without one stays out of sight.
            public: the title while the patient's identity is hidden, where the other one may name somebody.
            key: a newer request with the same key replaces this one: none of its callbacks is called any more.
            urgent: before the other waiting requests of the same lane.
            found: takes parts of the answer while the work goes on; then the work is called with a third argument, the
                function to tell a part with.
            failed: cleans up; `problem` is emitted after it.
            shows_failure: `failed` shows a UserError itself, so that `problem` is emitted for other failures only.
        """
        if QThread.currentThread() is not self.thread():
            raise RuntimeError("Background work is requested from the UI thread only")
        if key:
            self.drop(key)
        number = next(self._numbers)
        runner = _Runner(number, work, self._relay, lane, self._right_of_way)
        entry = _Entry(Job(number, title, key, self, public), runner)
        entry.done, entry.failed, entry.cancelled, entry.found = done, failed, cancelled, found
        entry.shows_failure = shows_failure
        runner.tells = found is not None
        self._entries[number] = entry
        self._right_of_way.watch(True)
        self.started.emit(entry.job)
        self._pools[lane].start(runner.run, 1 if urgent else 0)
        return entry.job

    def cancel(self, job: Job) -> None:
        """Ask a job to stop; its `cancelled` callback follows once it has."""
        entry = self._entries.get(job.number)
        if entry is None or job.stopping:
            return
        job.stopping = True
        entry.runner.stop.set()
        job.progressed.emit()
        if entry.runner.take() is not None:
            self._on_finished(job.number, None, Cancelled())

    def drop(self, key: str) -> None:
        """Forget the requests with this key: stop them if they still can, and ignore their answers."""
        for entry in [entry for entry in self._entries.values() if entry.job.key == key]:
            entry.replaced = True
            self.cancel(entry.job)

    def idle(self, visible_only: bool = False) -> bool:
        return not any(entry.job.title or not visible_only for entry in self._entries.values())

    def close(self, wait_ms: int = 10_000) -> bool:
        """Stop everything and wait for the workers; False when one did not end in time."""
        for entry in list(self._entries.values()):
            entry.replaced = True
            self.cancel(entry.job)
        ended = [pool.waitForDone(wait_ms) for pool in self._pools.values()]
        return all(ended)

    def _on_progress(self, number: int) -> None:
        entry = self._entries.get(number)
        latest = entry.runner.take_progress() if entry else None
        if entry and latest:
            entry.job.take_progress(*latest)

    def _on_found(self, number: int, part: object) -> None:
        entry = self._entries.get(number)
        if entry and entry.found and not entry.replaced and not entry.job.stopping:
            entry.found(part)

    def _on_finished(self, number: int, result: object, error: BaseException | None) -> None:
        self._on_progress(number)  # the last report may have come too soon after the one before
        entry = self._entries.pop(number, None)
        if entry is None:
            return
        self._right_of_way.watch(bool(self._entries))
        try:
            if (
                error is not None
                and not isinstance(error, (Cancelled, UserError))
                and (entry.replaced or entry.job.stopping)
            ):
                log.warning("A request that nobody waits for any more failed", exc_info=error)
            if entry.replaced:
                return
            if isinstance(error, Cancelled) or entry.job.stopping:
                if entry.cancelled:
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
