"""The bottom line: what Kindred must not be used for, background jobs with progress and cancel, archive and models."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from desktop.background import Job
from desktop.coalesce import Coalescer
from desktop.desk import Desk

MEBIBYTE = 1024 * 1024
EVERY_MS = 50
"""Between two looks at the jobs: forty that begin in one event, or end at once, are not forty layouts of the line."""
NOTICE = "Research software – not for diagnostic use"


class StatusLine(QStatusBar):
    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._jobs, self._archive, self._studies = desk.jobs, desk.archive, desk.studies
        self._shown: Job | None = None
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
        self.cancel.clicked.connect(self._cancel)
        self.rejected = QPushButton()
        self.rejected.setProperty("flat", True)
        self.rejected.setToolTip("List the files that were left out, and why (Ctrl+Shift+L)")
        self.memory = QPushButton()
        self.memory.setProperty("flat", True)
        self.memory.setToolTip("Memory that decoded images take, and its limit; click to change it (Ctrl+Alt+M)")
        self.archive = QLabel()
        self.archive.setProperty("muted", True)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(8, 1, 8, 1)
        layout.setSpacing(10)
        layout.addWidget(self.notice)
        layout.addStretch(1)
        for widget in (self.rejected, self.job, self.progress, self.cancel, self.memory, self.archive):
            layout.addWidget(widget)
        self.addWidget(line, 1)
        self._refresh = Coalescer(self._show_jobs, self, EVERY_MS)
        for told in (desk.jobs.changed, desk.jobs.progressed):
            told.connect(self._look)
        desk.layout.active_proxy.redaction_changed.connect(self._show_jobs)
        desk.archive.changed.connect(self._show_archive)
        desk.studies.rejected_changed.connect(self._show_rejected)
        for changed in (desk.background.ended, desk.settings.changed, desk.studies.closed, desk.mpr.changed):
            changed.connect(self._show_memory)
        self._show_memory()
        self._show_jobs()
        self._show_archive()
        self._show_rejected()

    def _look(self) -> None:
        """What is over is taken off at once."""
        if self._jobs.current is None:
            self._show_jobs()
        else:
            self._refresh.request()

    def _cancel(self) -> None:
        if self._shown is not None:
            self._desk.background.cancel(self._shown)

    def _show_jobs(self) -> None:
        job = self._shown = self._jobs.current
        for widget in (self.job, self.progress, self.cancel):
            widget.setVisible(job is not None)
        if job is None:
            return
        others = len(self._jobs.jobs) - 1
        more = f" (+{others} more)" if others else ""
        count = f" {job.done} of {job.total}" if job.total else " …"
        title = job.title if self._desk.viewport.patient_data_visible else job.redacted_title
        self.job.setText(f"Stopping: {title}" if job.stopping else f"{title}{count}{more}")
        self.progress.setRange(0, job.total)
        self.progress.setValue(job.done)
        self.cancel.setEnabled(not job.stopping)

    def _show_memory(self) -> None:
        desk = self._desk
        used = (desk.frames.size + desk.mpr.size) / MEBIBYTE
        text = f"Images {used:,.0f} of {desk.settings.now.cache_megabytes:,} MB"
        if text != self.memory.text():
            self.memory.setText(text)
        self.memory.setVisible(used > 0)

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
