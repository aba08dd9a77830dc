"""The status bar: intended use, background tasks with progress, image cache, archive and models."""

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from desktop.background import Job
from desktop.coalesce import Coalescer
from desktop.desk import Desk
from desktop.views.elided_label import ElidedLabel
from desktop.views.key_tips import set_tip
from engine.text.words import counted

MEBIBYTE = 1024 * 1024
EVERY_MS = 50
"""Milliseconds between two updates of the task, so that many short tasks do not lay out the bar many times."""
NOTICE = "Research software – not for diagnostic use"


class StatusLine(QStatusBar):
    """Shows the current task, rejected files, image cache and archive of a desk."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._jobs, self._archive, self._studies = desk.jobs, desk.archive, desk.studies
        self._shown: Job | None = None
        self.setSizeGripEnabled(False)
        self.notice = QLabel(NOTICE)
        self.notice.setProperty("notice", True)
        self.job = ElidedLabel(8)
        self.job.setAccessibleName("Background task")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setMinimumWidth(40)
        self.progress.setMaximumWidth(120)
        self.progress.setAccessibleName("Progress of the background task")
        self.cancel = QPushButton("Cancel")
        self.cancel.setProperty("flat", True)
        set_tip(self.cancel, desk.shortcuts, "Cancel this task ({cancel_task})")
        self.cancel.clicked.connect(self._cancel)
        self.rejected = QPushButton()
        self.rejected.setProperty("flat", True)
        set_tip(self.rejected, desk.shortcuts, "List the rejected files and the reasons ({show_rejected})")
        self.cache = QPushButton()
        self.cache.setProperty("flat", True)
        limit = "Memory used by decoded images and its limit. Click to change the limit ({image_cache})."
        set_tip(self.cache, desk.shortcuts, limit)
        self.archive = ElidedLabel()
        self.archive.setProperty("muted", True)
        content = QWidget()
        layout = QHBoxLayout(content)
        layout.setContentsMargins(8, 1, 8, 1)
        layout.setSpacing(10)
        layout.addWidget(self.notice)
        layout.addStretch(1)
        for widget in (self.rejected, self.job, self.progress, self.cancel, self.cache, self.archive):
            layout.addWidget(widget)
        self.addWidget(content, 1)
        self._refresh = Coalescer(self._show_jobs, self, EVERY_MS)
        for changed in (desk.jobs.changed, desk.jobs.progressed):
            changed.connect(self._update_jobs)
        desk.layout.active_proxy.redaction_changed.connect(self._show_jobs)
        desk.archive.changed.connect(self._show_archive)
        desk.studies.rejected_changed.connect(self._show_rejected)
        for changed in (desk.background.ended, desk.settings.changed, desk.studies.closed, desk.mpr.changed):
            changed.connect(self._show_cache)
        self._show_cache()
        self._show_jobs()
        self._show_archive()
        self._show_rejected()

    def _update_jobs(self) -> None:
        """Remove a finished task at once; show progress at most every EVERY_MS."""
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
        count = f" {job.done} of {job.total}" if job.total else "…"
        title = job.title if self._desk.viewport.patient_data_visible else job.redacted_title
        doing = f"Paused: {title}" if job.paused else title
        self.job.setText(f"Cancelling: {title}" if job.stopping else f"{doing}{count}{more}")
        self.progress.setRange(0, job.total)
        self.progress.setValue(job.done)
        self.cancel.setEnabled(not job.stopping)

    def _show_cache(self) -> None:
        desk = self._desk
        used = (desk.frames.size + desk.mpr.size) / MEBIBYTE
        text = f"Image cache {used:,.0f} of {desk.settings.now.cache_megabytes:,} MB"
        if text != self.cache.text():
            self.cache.setText(text)
        self.cache.setVisible(used > 0)

    def _show_archive(self) -> None:
        state = self._archive
        parts = ["No archive"]
        if state.archive is not None:
            parts = [f"{state.name}: {counted(state.stats.get('cases', 0), 'case')}"]
        if state.bundle is not None:
            parts.append("GPU" if "CUDA" in state.bundle.provider else "CPU")
        elif state.bundle_failure:
            parts.append("no models")
        self.archive.setText(" · ".join(parts))

    def _show_rejected(self) -> None:
        count = len(self._studies.rejected)
        self.rejected.setVisible(count > 0)
        self.rejected.setText(f"{counted(count, 'file')} rejected")
