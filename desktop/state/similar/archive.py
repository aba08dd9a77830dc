"""Which archive and which bundle are in use, and importing into them. Knows no widgets and no ranking."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from engine import known_bundles
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import UserError
from engine.importing.importer import ImportResult, import_path
from engine.progress import IsCancelled, Progress


class ArchiveState(QObject):
    """The open archive and the models. Everything that touches a disk runs on a worker."""

    changed = Signal()
    """Another archive or bundle, or other contents."""
    imported = Signal(object)
    """An ImportResult."""

    def __init__(
        self,
        background: Background,
        open_bundle: Callable[[Path | None], Bundle] = Bundle.open,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._open_bundle = background, open_bundle
        self.archive: Archive | None = None
        self.bundle: Bundle | None = None
        """The models that search, draft and import use: the chosen ones, or those that made the archive's vectors."""
        self.selected_bundle: Bundle | None = None
        """The models that were asked for last."""
        self.bundle_failure = ""
        self.stats: dict[str, Any] = {}
        self.importing: Job | None = None
        self.reindexing: Job | None = None
        """The move of an archive to other models (state/move.py)."""
        self._retired: list[Archive] = []
        """Archives that another one took the place of, while work goes on that may still read them."""
        background.ended.connect(self._close_retired)

    # -- models

    def load_bundle(self, path: Path | None = None) -> None:
        """Open a bundle folder, or the starter bundle."""
        self._background.start(
            as_work(self._open_bundle, path),
            self._take_bundle,
            title="Loading the models",
            key="bundle",
            lane=Lane.MODEL,
            failed=self._no_bundle,
        )

    def _take_bundle(self, bundle: Bundle) -> None:
        self.selected_bundle, self.bundle_failure = bundle, ""
        self._background.start(as_work(known_bundles.remember, bundle), lambda _: None, key="remember bundle")
        self._settle()

    def _no_bundle(self, error: BaseException) -> None:
        self.bundle, self.selected_bundle, self.bundle_failure = None, None, str(error)
        self.changed.emit()

    @property
    def outdated(self) -> bool:
        """Whether other models than the chosen ones made the archive's vectors, so that these cannot search it."""
        bound = self.stats.get("bundle_id") if self.archive else None
        return self.selected_bundle is not None and bound is not None and bound != self.selected_bundle.id

    def _settle(self) -> None:
        """Decide which models serve, after the chosen ones or the archive changed."""
        bound = self.stats.get("bundle_id")
        if self.selected_bundle is not None and not self.outdated:
            self.bundle = self.selected_bundle
        elif self.selected_bundle is not None and (self.bundle is None or self.bundle.id != bound):
            self.bundle = self.selected_bundle
            self._background.start(
                as_work(known_bundles.find, bound), self._take_serving, key="serving bundle", lane=Lane.MODEL
            )
        self.changed.emit()

    def _take_serving(self, found: Bundle | None) -> None:
        """The models of the archive's vectors, when they are on this machine."""
        if found is not None and self.outdated and found.id == self.stats.get("bundle_id"):
            self.bundle = found
            self.changed.emit()

    # -- archive

    @property
    def name(self) -> str:
        return self.archive.folder.name if self.archive else ""

    def open(self, path: Path) -> None:
        self._get(Archive.open, path, "Opening")

    def create(self, path: Path) -> None:
        self._get(Archive.create, path, "Creating")

    def _get(self, get: Callable[[Path], Archive], path: Path, doing: str) -> None:
        self._background.start(
            as_work(_with_stats, get, path),
            self._take_archive,
            title=f"{doing} {path.name}",
            redacted_title=f"{doing} an archive",
            key="archive",
        )

    def _take_archive(self, opened: tuple[Archive, dict[str, Any]]) -> None:
        if self.archive is not None:
            self._retired.append(self.archive)
        self.archive, self.stats = opened
        self._settle()

    def _close_retired(self) -> None:
        """Each holds open files, and its vectors in memory."""
        if self._retired and self._background.idle():
            retired, self._retired = self._retired, []
            self._background.start(as_work(_close, retired), lambda _: None)

    def refresh(self) -> None:
        """Count again what the archive holds."""
        if self.archive is not None:
            self._background.start(as_work(self.archive.stats), self._take_stats, key="archive stats")

    def _take_stats(self, stats: dict[str, Any]) -> None:
        self.stats = stats
        self._settle()

    # -- import

    def why_no_import(self) -> str:
        """What is missing before an import can start; "" when nothing is."""
        if self.archive is None:
            return "Open or create an archive first, then import into it."
        if self.bundle is None:
            return self.bundle_failure or "The models are still loading; try again in a moment."
        if self.reindexing is not None:
            return "The archive is on its way to other models; wait for that or stop it first."
        return "An import is running; wait for it or stop it first." if self.importing else ""

    def import_into(self, path: Path, reports: Path | None = None) -> None:
        """Import a folder, file, zip or CSV archive; cases already stored stay as they are.

        Raises:
            UserError: no archive, no models, or an import is under way.
        """
        archive, bundle, reason = self.archive, self.bundle, self.why_no_import()
        if reason or archive is None or bundle is None:
            raise UserError(reason)
        self.importing = self._background.start(
            partial(_import, archive, bundle, path, reports),
            self._take_import,
            title=f"Importing {path.name}",
            redacted_title="Importing",
            lane=Lane.LONG,
            failed=self._import_stopped,
            cancelled=self._import_stopped,
        )
        self.changed.emit()

    def _take_import(self, result: ImportResult) -> None:
        self.importing = None
        self.imported.emit(result)
        self.refresh()

    def _import_stopped(self, error: BaseException | None = None) -> None:
        """What was imported before is whole and stays."""
        self.importing = None
        self.changed.emit()
        self.refresh()

    def close(self) -> None:
        """Close every archive that was opened; the workers must have ended."""
        _close([*self._retired, *([self.archive] if self.archive else [])])
        self._retired, self.archive = [], None


def _close(archives: Sequence[Archive]) -> None:
    for archive in archives:
        archive.close()


def _with_stats(get: Callable[[Path], Archive], path: Path) -> tuple[Archive, dict[str, Any]]:
    archive = get(path)
    return archive, archive.stats()


def _import(
    archive: Archive, bundle: Bundle, path: Path, reports: Path | None, progress: Progress, cancelled: IsCancelled
) -> ImportResult:
    return import_path(archive, bundle, path, reports, progress, cancelled)
