"""The running background jobs that the status bar shows. Does not know what they do."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job


class JobsState(QObject):
    """The jobs that have a title, oldest first."""

    changed = Signal()
    """A job started or ended."""
    progressed = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self.jobs: list[Job] = []
        background.started.connect(self._add)
        background.ended.connect(self._remove)

    @property
    def current(self) -> Job | None:
        """The job whose progress is shown: the one started last."""
        return self.jobs[-1] if self.jobs else None

    def cancel_current(self) -> None:
        """Cancel the job whose progress is shown."""
        if self.current:
            self._background.cancel(self.current)

    def _add(self, job: Job) -> None:
        if job.title:
            self.jobs.append(job)
            job.progressed.connect(self.progressed)
            self.changed.emit()

    def _remove(self, job: Job) -> None:
        if job in self.jobs:
            self.jobs.remove(job)
            self.changed.emit()
