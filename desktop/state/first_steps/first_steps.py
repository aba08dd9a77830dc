"""Guides through the first use in three steps, which can be left at any time. Knows no widgets.

It is offered once, when nothing was ever opened here, and shown again only when it is asked for.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.state.changes import ChangeNotifier
from desktop.state.first_steps.sample import SampleArchive, sample_studies, shipped_cases
from desktop.state.report.report import ReportState
from desktop.state.settings import SettingsState
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.studies.studies import StudiesState

ARCHIVE, STUDY, SEARCH = range(3)
"""The steps, in their order."""


class FirstStepsState(QObject):
    """Which steps are done. They are done with the ordinary commands, so that nothing is learned twice."""

    changed = Signal()

    def __init__(
        self,
        settings: SettingsState,
        archive: ArchiveState,
        studies: StudiesState,
        search: SearchState,
        report: ReportState,
        open_paths: Callable[[Sequence[Path]], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._studies, self._search, self._report = settings, studies, search, report
        self._archive, self._open = archive, open_paths
        self._sample = SampleArchive(self._archive, self)
        self.visible = False
        self.has_sample = self.has_study = False
        """Whether the sample archive, and a sample study, are part of this installation; known once it is shown."""
        for trigger in (self._archive.changed, studies.changed, search.hits_changed, report.changed):
            ChangeNotifier(trigger, self.changed, lambda: (self.done, self.importing), self)

    @property
    def done(self) -> tuple[bool, bool, bool]:
        """Whether there is an archive with cases, an open study, and hits or a draft."""
        archive = self._archive.archive is not None and bool(self._archive.stats.get("cases", 0))
        return archive, bool(self._studies.studies), bool(self._search.hits or self._report.rows)

    @property
    def current(self) -> int:
        """The first step that is not done and not under way; 3 when all are done."""
        archive, study, search = self.done
        under_way = (archive or self.importing, study, search)
        return next((step for step, done in enumerate(under_way) if not done), len(under_way))

    @property
    def importing(self) -> bool:
        """Whether cases are being imported."""
        return self._archive.importing is not None

    def begin(self) -> None:
        """Show the steps at the first start: nobody has skipped or finished them, and nothing was opened before."""
        now = self._settings.now
        if not (now.first_steps_seen or now.archive or now.recent):
            self.show()

    def show(self) -> None:
        """Show the steps, as far as they are done."""
        self.has_sample, self.has_study = shipped_cases().exists(), bool(sample_studies())
        self.visible = True
        self.changed.emit()

    def skip(self) -> None:
        """Hide the steps, for good."""
        self.visible = False
        self._settings.change(first_steps_seen=True)
        self.changed.emit()

    def use_sample(self) -> None:
        """Open the sample archive, importing it first."""
        self._sample.start()
        self.changed.emit()

    def open_sample_study(self) -> None:
        """Open a real study that is installed with Kindred's libraries."""
        self._open(sample_studies()[:1])
