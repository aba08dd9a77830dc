"""Everything the app knows while it runs: the states, wired to each other. Knows no widgets."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from desktop.background import Background
from desktop.state.archive import ArchiveState
from desktop.state.jobs import JobsState
from desktop.state.messages import MessagesState
from desktop.state.report import ReportState
from desktop.state.search import SearchState
from desktop.state.studies import StudiesState
from desktop.state.viewport import ViewportState
from engine.archive import Archive
from engine.importer import ImportResult


class Desk(QObject):
    """The states of one window. `workspace` is the folder that keeps the reports; None is the user's own."""

    def __init__(self, workspace: Path | None = None, who: str = "") -> None:
        super().__init__()
        self.background = Background(self)
        self.messages = MessagesState(self)
        self.jobs = JobsState(self.background, self)
        self.studies = StudiesState(self.background, parent=self)
        self.viewport = ViewportState(self.background, parent=self)
        self.archive = ArchiveState(self.background, parent=self)
        self.search = SearchState(self.background, self.archive, self.viewport, parent=self)
        self.report = ReportState(
            self.background, self.studies, self.viewport, self.archive, folder=workspace, who=who, parent=self
        )
        self.background.problem.connect(self.messages.show_error)
        self.report.outbox.told.connect(self.messages.tell)
        self.studies.selected.connect(self._show_series)
        self.studies.nothing_found.connect(self._tell_nothing_found)
        self.archive.imported.connect(self._tell_imported)

    def begin(self, paths: Sequence[Path] = (), archive: Path | None = None, bundle: Path | None = None) -> None:
        """Start what can start before the user does anything; all of it in the background."""
        self.report.open_workspace()
        self.archive.load_bundle(bundle)
        if archive is not None:
            self.archive.open(archive)
        self.studies.open(paths)

    def open_dropped(self, paths: Sequence[Path]) -> None:
        """Open what was dropped on the window: an archive's folder as the archive, everything else as studies."""
        archives = [path for path in paths if path.is_dir() and Archive.exists(path)]
        for path in archives[-1:]:
            self.archive.open(path)
        self.studies.open([path for path in paths if path not in archives])

    def close(self) -> None:
        """Stop the workers, keep what was typed, close the files."""
        self.background.close()
        self.report.close()
        self.archive.close()

    def _show_series(self) -> None:
        self.viewport.show(self.studies.study, self.studies.series)

    def _tell_nothing_found(self) -> None:
        count = len(self.studies.rejected)
        self.messages.tell(f"There is no image in it; {count} file(s) were left out, see the list (Ctrl+Shift+L).")

    def _tell_imported(self, result: ImportResult) -> None:
        self.messages.tell(summary(result))


def summary(result: ImportResult) -> str:
    """An import in one sentence."""
    parts = [f"{result.added:,} case{'' if result.added == 1 else 's'} added"]
    if result.skipped:
        parts.append(f"{result.skipped:,} known already")
    if result.completed:
        parts.append(f"{result.completed:,} completed")
    if result.rejected:
        parts.append(f"{len(result.rejected):,} left out")
    return "Import finished: " + ", ".join(parts) + "."
