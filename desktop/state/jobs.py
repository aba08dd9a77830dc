"""Which background jobs are running, as the status bar shows them. Knows nothing of what they do."""

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job


class JobsState(QObject):
    """The jobs that carry a title, oldest first."""

    changed = Signal()
    """A job came or went."""
    progressed = Signal()

    def __init__(self, background: Background, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = background
        self.jobs: list[Job] = []
        background.started.connect(self._add)
        background.ended.connect(self._remove)

    @property
    def current(self) -> Job | None:
        """The job whose progress is worth showing: the youngest."""
        return self.jobs[-1] if self.jobs else None

    def cancel_current(self) -> None:
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
