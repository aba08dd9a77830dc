"""The bottom line: what Kindred must not be used for, background jobs with progress and cancel, archive and models."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from desktop.state.archive import ArchiveState
from desktop.state.jobs import JobsState
from desktop.state.studies import StudiesState

NOTICE = "Research software – not for diagnostic use"


class StatusLine(QStatusBar):
    def __init__(
        self, jobs: JobsState, archive: ArchiveState, studies: StudiesState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._jobs, self._archive, self._studies = jobs, archive, studies
        self.setSizeGripEnabled(False)
        self.notice = QLabel(NOTICE)
        self.notice.setProperty("notice", True)
        self.job = QLabel()
        self.job.setAccessibleName("Background work")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(120)
        self.progress.setAccessibleName("Progress of the background work")
        self.cancel = QPushButton("Stop")
        self.cancel.setProperty("flat", True)
        self.cancel.setToolTip("Stop the work shown here (Ctrl+.)")
        self.cancel.clicked.connect(jobs.cancel_current)
        self.rejected = QPushButton()
        self.rejected.setProperty("flat", True)
        self.rejected.setToolTip("List the files that were left out, and why (Ctrl+Shift+L)")
        self.archive = QLabel()
        self.archive.setProperty("muted", True)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(8, 1, 8, 1)
        layout.setSpacing(10)
        layout.addWidget(self.notice)
        layout.addStretch(1)
        for widget in (self.rejected, self.job, self.progress, self.cancel, self.archive):
            layout.addWidget(widget)
        self.addWidget(line, 1)
        jobs.changed.connect(self._show_jobs)
        archive.changed.connect(self._show_archive)
        studies.rejected_changed.connect(self._show_rejected)
        self._show_jobs()
        self._show_archive()
        self._show_rejected()

    def _show_jobs(self) -> None:
        job = self._jobs.current
        for widget in (self.job, self.progress, self.cancel):
            widget.setVisible(job is not None)
        if job is None:
            return
        others = len(self._jobs.jobs) - 1
        more = f" (+{others} more)" if others else ""
        count = f" {job.done} of {job.total}" if job.total else " …"
        self.job.setText(f"Stopping: {job.title}" if job.stopping else f"{job.title}{count}{more}")
        self.progress.setRange(0, job.total)
        self.progress.setValue(job.done)
        self.cancel.setEnabled(not job.stopping)

    def _show_archive(self) -> None:
        state = self._archive
        parts = ["No archive"]
        if state.archive is not None:
            parts = [f"{state.name}: {state.stats.get('cases', 0):,} cases"]
        if state.bundle is not None:
            parts.append("GPU" if "CUDA" in state.bundle.provider else "CPU")
        elif state.bundle_failure:
            parts.append("no models")
        self.archive.setText(" · ".join(parts))

    def _show_rejected(self) -> None:
        count = len(self._studies.rejected)
        self.rejected.setVisible(count > 0)
        self.rejected.setText(f"{count:,} file{'' if count == 1 else 's'} left out")
