"""The open archive and the models in use, and importing into the archive. Knows no widgets and no ranking."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, as_work
from engine import known_bundles
from engine.archive import Archive
from engine.bundle import Bundle
from engine.errors import Cancelled, UserError
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_path
from engine.importing.preview import ImportPreview, preview_import
from engine.progress import IsCancelled, Progress
from engine.store.address import Address
from engine.store.backup.salvage import salvage
from engine.store.safety.salvaged import Salvaged

PREVIEWED = 500
"""Entries of each kind that a preview lists."""


class ArchiveState(QObject):
    """The open archive and the models. All disk access is on workers."""

    changed = Signal()
    """The archive, the models or the contents of the archive changed."""
    imported = Signal(object)
    """An ImportResult."""
    previewed = Signal(object)
    """What an import would do, a list of lines."""

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
        """The models that search, draft and import use: those the archive was indexed with, or the current ones."""
        self.current_bundle: Bundle | None = None
        """The "current models" on screen: those loaded last, which `bundle` follows where the archive allows it."""
        self.bundle_failure = ""
        """Why the current models cannot be loaded; "" if they can."""
        self.stats: dict[str, Any] = {}
        """The counts of `Archive.stats`."""
        self.salvaged: Salvaged | None = None
        """What the open archive was salvaged of, if it was."""
        self.importing: Job | None = None
        """The running import."""
        self.reindexing: Job | None = None
        """The running re-indexing (reindexing.py)."""
        self._retired: list[Archive] = []
        """Replaced archives that running jobs may still read."""
        background.ended.connect(self._close_retired)

    # -- models

    def load_bundle(self, path: Path | None = None) -> None:
        """Load the models of a bundle folder, or the starter bundle."""
        self._background.start(
            as_work(self._open_bundle, path),
            self._take_bundle,
            title="Loading the models",
            key="bundle",
            lane=Lane.MODEL,
            failed=self._fail_bundle,
        )

    def _take_bundle(self, bundle: Bundle) -> None:
        self.current_bundle, self.bundle_failure = bundle, ""
        self._background.start(as_work(known_bundles.remember, bundle), lambda _: None, key="remember bundle")
        self._update_bundle()

    def _fail_bundle(self, error: BaseException) -> None:
        """Models that work stay in use when others cannot be loaded; the message bar says why they cannot."""
        if self.current_bundle is None:
            self.bundle_failure = str(error)
            self.changed.emit()

    @property
    def outdated(self) -> bool:
        """Whether the archive was indexed with other models than the current ones, which cannot search it."""
        bound = self.stats.get("bundle_id") if self.archive else None
        return self.current_bundle is not None and bound is not None and bound != self.current_bundle.id

    def _update_bundle(self) -> None:
        """Decide which models to use, after the current ones or the archive changed."""
        bound = self.stats.get("bundle_id")
        if self.current_bundle is not None and not self.outdated:
            self.bundle = self.current_bundle
        elif self.current_bundle is not None and (self.bundle is None or self.bundle.id != bound):
            self.bundle = self.current_bundle
            self._background.start(
                as_work(known_bundles.find, bound), self._take_matching_bundle, key="matching bundle", lane=Lane.MODEL
            )
        self.changed.emit()

    def _take_matching_bundle(self, found: Bundle | None) -> None:
        """Use the models that the archive was indexed with, if they are on this computer."""
        if found is not None and self.outdated and found.id == self.stats.get("bundle_id"):
            self.bundle = found
            self.changed.emit()

    # -- archive

    @property
    def name(self) -> str:
        """Name of the archive's folder or database, of a salvaged one that of the damaged; "" when none is open."""
        return self.place.name if self.place else ""

    def open(self, place: Path | Address) -> None:
        """Open an archive in place of the current one."""
        self._start_opening(partial(_open, place), place, "Opening")

    @property
    def place(self) -> Path | Address | None:
        """The folder or address of the open archive; of one that was salvaged, that of the damaged one."""
        if self.archive is None:
            return None
        return Path(self.salvaged.of) if self.salvaged else self.archive.place

    @property
    def home(self) -> Path | None:
        """The folder of the open archive, as `place`; None for one on a server."""
        return self.place if isinstance(self.place, Path) else None

    def open_salvaged(self, path: Path) -> None:
        """Open, read-only, what can be read of a damaged archive."""
        self._start_opening(partial(_open_salvaged, path), path, "Reading what is left of")

    def create(self, place: Path | Address) -> None:
        """Create an empty archive and open it."""
        self._start_opening(lambda _progress, _cancelled: Archive.create(place), place, "Creating")

    def _start_opening(
        self, get: Callable[[Progress, IsCancelled], Archive], place: Path | Address, doing: str
    ) -> None:
        self._background.start(
            partial(_with_stats, get),
            self._take_archive,
            title=f"{doing} {place.name}",
            redacted_title=f"{doing} an archive",
            key="archive",
        )

    def _take_archive(self, opened: tuple[Archive, dict[str, Any]]) -> None:
        if self.archive is not None:
            self._retired.append(self.archive)
        self.archive, self.stats = opened
        self.salvaged = self.archive.salvaged
        self._update_bundle()

    def _close_retired(self) -> None:
        """Close replaced archives, which hold open files and vectors in memory, once no job can use them."""
        if self._retired and self._background.idle():
            retired, self._retired = self._retired, []
            self._background.start(as_work(_close, retired), lambda _: None)

    def release(self) -> Archive | None:
        """Have no archive open any more; who calls closes the one that was, which no running job may use."""
        released, self.archive, self.stats, self.salvaged = self.archive, None, {}, None
        self._update_bundle()
        return released

    def refresh(self) -> None:
        """Read the counts of the archive again."""
        if self.archive is not None:
            self._background.start(as_work(self.archive.stats), self._take_stats, key="archive stats")

    def _take_stats(self, stats: dict[str, Any]) -> None:
        self.stats = stats
        self._update_bundle()

    # -- import

    @property
    def why_no_change(self) -> str:
        """Why the open archive can be searched only; "" when it can be changed."""
        if self.archive is None or not self.archive.read_only:
            return ""
        if isinstance(self.place, Address):
            return "Your account may search this archive but not change it. Ask its administrator for that right."
        return "This archive is read-only."

    def why_no_import(self) -> str:
        """Why no import can start; "" when one can."""
        if self.archive is None:
            return "Open or create an archive first."
        if self.why_no_change:
            return self.why_no_change
        if self.bundle is None:
            return self.bundle_failure or "The models are still loading. Try again shortly."
        if self.reindexing is not None:
            return "The archive is being re-indexed. Wait until it is finished, or cancel it."
        return "An import is running. Wait until it is finished, or cancel it." if self.importing else ""

    def import_into(self, path: Path, reports: Path | None = None) -> None:
        """Import a folder, file, ZIP or CSV table; cases already stored are left unchanged.

        Raises:
            UserError: no archive, no models, or an import or re-indexing is running.
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
            failed=self._end_import,
            cancelled=self._end_import,
            stopped=self._take_import,
        )
        self.changed.emit()

    def preview_import(self, path: Path) -> None:
        """Find out which reports and studies an import would join, without importing anything."""
        if self.archive is not None:
            self._background.start(
                partial(_preview, self.archive, path),
                lambda preview: self.previewed.emit(preview.lines(PREVIEWED)),
                title=f"Reading {path.name}",
                redacted_title="Reading",
                key="import preview",
                lane=Lane.LONG,
            )

    def _take_import(self, result: ImportResult) -> None:
        self.importing = None
        self.imported.emit(result)
        self.refresh()

    def _end_import(self, error: BaseException | None = None) -> None:
        """The cases imported so far are complete and are kept."""
        self.importing = None
        self.changed.emit()
        self.refresh()

    def close(self) -> None:
        """Close all archives; the workers must have ended."""
        _close([*self._retired, *([self.archive] if self.archive else [])])
        self._retired, self.archive = [], None


def _close(archives: Sequence[Archive]) -> None:
    for archive in archives:
        archive.close()


def _open(place: Path | Address, progress: Progress, cancelled: IsCancelled) -> Archive:
    """Open an archive; one of an older version is prepared first, which can be cancelled."""

    def report(done: int, total: int, what: str) -> None:
        if cancelled():
            raise Cancelled
        progress(done, total, what)

    return Archive.open(place, report)


def _open_salvaged(path: Path, progress: Progress, cancelled: IsCancelled) -> Archive:
    return Archive.open(salvage(path, None, progress, cancelled)[0])


def _with_stats(
    get: Callable[[Progress, IsCancelled], Archive], progress: Progress, cancelled: IsCancelled
) -> tuple[Archive, dict[str, Any]]:
    archive = get(progress, cancelled)
    return archive, archive.stats()


def _preview(archive: Archive, path: Path, progress: Progress, cancelled: IsCancelled) -> ImportPreview:
    return preview_import(archive, path, None, progress, cancelled)


def _import(
    archive: Archive, bundle: Bundle, path: Path, reports: Path | None, progress: Progress, cancelled: IsCancelled
) -> ImportResult:
    return import_path(archive, bundle, path, reports, progress, cancelled)


def is_archive(path: Path) -> bool:
    """Whether a path is an archive; an unreadable one is not, and opening it as a study reports why."""
    try:
        return path.is_dir() and Archive.exists(path)
    except (OSError, UserError):
        return False
