"""Checks the open archive, its models and the installation, and rebuilds what is derived. Knows no widgets."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, Work, as_work
from desktop.state.similar.archive import ArchiveState
from engine.cli.doctor import Check, examine
from engine.text.words import counted

NO_ARCHIVE = "Open or create an archive first."
BUSY = "An import or re-indexing is running. Wait until it is finished, or cancel it."

T = TypeVar("T")


class MaintenanceState(QObject):
    """One check or rebuilding at a time."""

    changed = Signal()

    def __init__(self, background: Background, archive: ArchiveState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self.running = ""
        """What is running; "" for nothing."""
        self.lines: list[tuple[bool, str]] = []
        """What the last check or rebuilding found: whether it is well, and a sentence."""
        archive.changed.connect(self.changed)

    def why_not(self) -> str:
        """Why the archive cannot be checked or rebuilt now; "" when it can."""
        state = self._archive
        if state.archive is None:
            return NO_ARCHIVE
        return BUSY if state.importing is not None or state.reindexing is not None or self.running else ""

    def why_no_rebuild(self) -> str:
        """Why the index cannot be rebuilt now; "" when it can."""
        return self._archive.why_no_change or self.why_not()

    def check(self, deep: bool = True) -> None:
        """What `kindred doctor --archive` checks; with `deep`, every row against its checksum."""
        archive, bundle = self._archive.archive, self._archive.bundle
        if self.why_not() or archive is None:
            return
        work = as_work(examine, bundle.folder if bundle else None, archive.place, deep)
        self._start(work, self._take_checks, f"Checking {archive.name}", "Checking an archive")

    def rebuild(self) -> None:
        """Make the search index and the score scale anew from the database."""
        archive = self._archive.archive
        if self.why_no_rebuild() or archive is None:
            return
        title = f"Rebuilding the index of {archive.name}"
        self._start(as_work(archive.rebuild), self._take_rebuilt, title, "Rebuilding an index")

    def _start(self, work: Work[T], take: Callable[[T], None], title: str, redacted_title: str) -> None:
        self.running, self.lines = title, []
        self._background.start(
            work,
            take,
            title=title,
            redacted_title=redacted_title,
            lane=Lane.LONG,
            failed=self._end,
            cancelled=self._end,
        )
        self.changed.emit()

    def _take_checks(self, checks: list[Check]) -> None:
        self.lines = [(check.ok, check.text) for check in checks]
        self._end()

    def _take_rebuilt(self, vectors: int) -> None:
        self.lines = [(True, f"The search index was rebuilt: {counted(vectors, 'vector')}.")]
        self._end()

    def _end(self, error: BaseException | None = None) -> None:
        self.running = ""
        self.changed.emit()
