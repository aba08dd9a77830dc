"""How a running import goes: its pace, pausing and stopping it, and what became of the last one. Knows no widgets."""

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.import_summary import import_summary
from engine.errors import Rejected
from engine.importing.import_result import ImportResult
from engine.importing.importer import AMBIGUOUS
from engine.text.words import counted

RECENT = 400
"""Progress reports that the pace is measured over, at most 20 a second: known cases are faster than new ones."""
LEAST = 2.0
"""Seconds that have to be measured before a pace is stated."""

ENDED_EARLY = "The last import did not finish. What it had imported is kept."


class ImportingState(QObject):
    """The running import, and the result of the last one."""

    changed = Signal()

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        clock: Callable[[], float] = time.monotonic,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._clock = background, archive, clock
        self._job: Job | None = None
        self._seen: deque[tuple[float, int]] = deque(maxlen=RECENT)
        self.result: ImportResult | None = None
        """Of the last import; None before the first one, while one is running, and when it ended early."""
        self._ended_early = False
        archive.changed.connect(self._follow)
        archive.imported.connect(self._take)

    @property
    def running(self) -> bool:
        """Whether an import is running or paused."""
        return self._archive.importing is not None

    @property
    def paused(self) -> bool:
        """Whether the running import waits."""
        return self._job is not None and self._job.paused

    @property
    def share(self) -> tuple[int, int]:
        """Cases done and cases in all; the second is 0 while they are being listed."""
        return (self._job.done, self._job.total) if self._job else (0, 0)

    @property
    def line(self) -> str:
        """What the import is doing, or what the last one did; "" before the first one."""
        job = self._job
        if job is None:
            return import_summary(self.result) if self.result else ENDED_EARLY if self._ended_early else ""
        if job.stopping:
            return "Stopping. What is imported is kept."
        done = f"{job.done:,} of {counted(job.total, 'case')}" if job.total else f"{job.done:,} so far"
        if job.paused:
            return f"Paused: {done}"
        if not job.total:
            return f"{job.what or 'Listing cases'}: {done}"
        return ", ".join(filter(None, (done, pace(self._seen, job.total))))

    @property
    def rejected(self) -> list[Rejected]:
        """What the last import rejected, with the reasons."""
        return rejected(self.result) if self.result else []

    def pause(self, paused: bool) -> None:
        """Let the import wait, or go on."""
        if self._job is not None:
            self._seen.clear()  # the pause must not slow the pace down
            self._background.pause(self._job, paused)

    def stop(self) -> None:
        """Stop the import; what is archived by then is kept, and importing again completes it."""
        if self._job is not None:
            self._background.cancel(self._job)

    def _follow(self) -> None:
        job = self._archive.importing
        if job is not self._job:
            self._job, self._ended_early = job, job is None
            self._seen.clear()
            if job is not None:
                self.result = None
                job.progressed.connect(self._on_progress)
            self.changed.emit()

    def _on_progress(self) -> None:
        if self._job is not None and self._job.total and not self._job.paused:
            self._seen.append((self._clock(), self._job.done))
        self.changed.emit()

    def _take(self, result: ImportResult) -> None:
        self.result, self._job, self._ended_early = result, None, False
        self.changed.emit()


def pace(seen: deque[tuple[float, int]], total: int) -> str:
    """Cases a second and the time left, from (seconds, cases done) of some moments; "" while too little was seen."""
    if not seen:
        return ""
    (first, before), (last, done) = seen[0], seen[-1]
    if last - first < LEAST or done <= before:
        return ""
    rate = (done - before) / (last - first)
    return f"{rate:,.{0 if rate >= 10 else 1}f} cases/s, {left((total - done) / rate)}"


def left(seconds: float) -> str:
    """A time that is left, in the unit that a person would use."""
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {counted(minutes, 'minute')} left"
    return f"about {counted(round(minutes / 60), 'hour')} left"


def rejected(result: ImportResult) -> list[Rejected]:
    """What an import rejected or could not join, with the reasons."""
    return [*result.rejected, *(Rejected(name, AMBIGUOUS) for name in result.ambiguous)]
