"""Backs up the archive and the workspace every hour, and restores the archive from a backup. Knows no widgets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.background import Background, Lane
from desktop.errors import PROBLEM, Message
from desktop.state.similar.archive import ArchiveState
from desktop.state.upkeep.maintenance import BUSY
from engine.archive import Archive
from engine.errors import Cancelled, DamagedError, UserError
from engine.progress import IsCancelled, Progress
from engine.store.backup.backup import Backup, backups_of
from engine.store.backup.location import choose_folder
from engine.store.backup.making import Making, make
from engine.store.backup.policy import POLICY
from engine.store.backup.restore import find, restore_archive
from engine.store.backup.source import Source, archive_source, workspace_source
from engine.store.encryption.unlocked import is_encrypted, is_unlocked
from engine.store.safety.connection import is_read_only
from engine.store.safety.salvaged import salvaged
from engine.text.words import counted

FIRST_MS = 120_000
"""Milliseconds from the start of the app until it first looks whether a backup is due."""
EVERY_MS = 600_000
"""Milliseconds between two looks."""
NO_ARCHIVE = "Open the archive that is to be restored first."
ON_SERVER = "The archive is on a server, whose administrator makes its backups and restores them."
WORKSPACE = "Reports and settings are restored by the command kindred restore BACKUP, while Kindred is closed."
NONE = "There is no backup of this archive. Make one with Back up now."


@dataclass(frozen=True, slots=True)
class Listed:
    """A backup as it is chosen from a list."""

    text: str
    context: str
    path: Path


class BackupsState(QObject):
    """One backup or restore at a time. What fails of a backup that nobody asked for is told once."""

    changed = Signal()
    message = Signal(object)
    """A Message."""
    listed = Signal(object)
    """The backups of the open archive, a list of Listed, newest first."""
    asked = Signal(str)
    """A question for the user; `confirm` answers yes."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        workspace: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive, self._workspace = background, archive, workspace
        self.running = False
        self._told: set[str] = set()
        """Failures of backups that nobody asked for."""
        self._asked: tuple[Backup, Path] | None = None
        self._waiting: tuple[Backup, Path] | None = None
        """What is restored as soon as no job can use the archive."""
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._offered: tuple[Path, Backup | None] | None = None
        """A damaged archive of which what is left is being read, and its newest backup."""
        background.ended.connect(self._restore_when_idle)
        background.ended.connect(self._tell_salvaged)

    # -- making

    def begin(self) -> None:
        """Look whether a backup is due from now on, not while the app is starting."""
        self._timer.start()
        QTimer.singleShot(FIRST_MS, self, self.look)

    def look(self) -> None:
        """Back up what is due; a read-only archive never is, since it does not change."""
        if not self.running and self._waiting is None:
            self._start(self._sources(), due_only=True)

    def back_up(self) -> None:
        """Back up now, unless nothing changed since the newest backup."""
        if not self.running:
            self._start(self._sources(), due_only=False)

    def keep_in(self, folder: Path) -> None:
        """Keep backups in this folder from now on, and make the first one there.

        Raises:
            UserError: it cannot be written.
        """
        choose_folder(folder)
        self.back_up()

    def _sources(self) -> list[Source]:
        archive = self._archive.archive
        sources = [workspace_source(self._workspace)]
        if archive is not None and isinstance(archive.place, Path) and not archive.read_only:
            sources.append(archive_source(archive.place))
        return sources

    def _start(self, sources: Sequence[Source], due_only: bool) -> None:
        def work(progress: Progress, cancelled: IsCancelled) -> list[Backup]:
            wanted = [one for one in sources if one.path.is_file() and not (due_only and not _is_due(one))]
            made = [make(one, making=Making(progress=progress, cancelled=cancelled)) for one in wanted]
            return [one for one in made if one is not None]

        self.running = True
        self._background.start(
            work,
            (lambda _: self._end()) if due_only else self._tell_made,
            title="" if due_only else "Backing up",
            key="backup",
            lane=Lane.LONG,
            failed=self._fail_unasked if due_only else self._end,
            cancelled=self._end,
            shows_failure=due_only,
        )
        self.changed.emit()

    def _tell_made(self, made: list[Backup]) -> None:
        self._end()
        if not made:
            self.message.emit(Message("Nothing changed since the newest backup."))
            return
        nouns = {"archive": "case", "workspace": "report"}
        parts = " and ".join(counted(one.rows, nouns[one.kind]) for one in made)
        self.message.emit(Message(f"Backed up {parts}."))

    def _fail_unasked(self, error: BaseException) -> None:
        self._end()
        if isinstance(error, UserError) and str(error) not in self._told:
            self._told.add(str(error))
            self._background.problem.emit(error)

    def _end(self, error: BaseException | None = None) -> None:
        self.running = False
        self.changed.emit()

    # -- restoring

    def list_backups(self) -> None:
        """Find the backups of the open archive, for `listed`.

        Raises:
            UserError: no archive is open.
        """
        if self._archive.home is None:
            raise UserError(NO_ARCHIVE if self._archive.archive is None else ON_SERVER)
        source = archive_source(self._archive.home)
        self._background.start(lambda _progress, _cancelled: _listed(source), self._take_list, key="list backups")

    def _take_list(self, found: list[Listed]) -> None:
        if found:
            self.listed.emit(found)
        else:
            self._background.problem.emit(UserError(NONE))

    def ask(self, path: Path, folder: Path | None = None) -> None:
        """Ask whether to restore the archive in `folder`, or the open one, from a backup.

        Raises:
            UserError: there is no such backup, or the archive is being changed.
        """
        folder = folder or self._archive.home
        if folder is None:
            raise UserError(NO_ARCHIVE)
        if self._archive.importing is not None or self._archive.reindexing is not None:
            raise UserError(BUSY)
        backup = find(path)
        self._asked = backup, folder
        self.asked.emit(
            f"Restore the archive {folder.name} as it was {backup.age()} ago ({counted(backup.rows, 'case')})? What is "
            "in its folder now is set aside beside it, and nothing is deleted."
        )

    def confirm(self) -> None:
        """Restore what was asked about, as soon as no job uses the archive."""
        self._waiting, self._asked = self._asked, None
        self._restore_when_idle()

    def _restore_when_idle(self) -> None:
        if self._waiting is None or self._archive.importing is not None or not self._background.idle():
            return
        (backup, folder), self._waiting = self._waiting, None
        released = self._archive.release() if self._is_open(folder) else None

        def work(progress: Progress, cancelled: IsCancelled) -> Path | None:
            if released is not None:
                released.close()
            return restore_archive(backup, folder, progress, cancelled)

        def end(error: BaseException | None = None) -> None:
            if released is not None:
                self._archive.open(folder)  # as it was

        self._background.start(
            work,
            lambda aside: self._take_restored(backup, folder, aside),
            title=f"Restoring {folder.name}",
            redacted_title="Restoring an archive",
            lane=Lane.LONG,
            failed=end,
            cancelled=end,
        )

    def _is_open(self, folder: Path) -> bool:
        return self._archive.home == folder

    def _take_restored(self, backup: Backup, folder: Path, aside: Path | None) -> None:
        self._archive.open(folder)
        kept = f" What was there is in {aside.name}, beside it." if aside is not None else ""
        self.message.emit(Message(f"Restored {counted(backup.rows, 'case')} as of {backup.age()} ago.{kept}"))

    def offer(self, error: DamagedError) -> None:
        """Open what can be read of a damaged archive, and offer its newest backup."""
        folder = Path(error.other)
        if self._offered is not None or salvaged(folder) is not None:
            return

        def newest(progress: Progress, cancelled: IsCancelled) -> Backup | None:
            if not Archive.exists(folder):  # such as the workspace
                raise Cancelled
            return next(reversed(backups_of(archive_source(folder))), None)

        def open_what_is_left(backup: Backup | None) -> None:
            self._offered = folder, backup
            self._archive.open_salvaged(folder)

        self._background.start(newest, open_what_is_left, key="offer backup")

    def _tell_salvaged(self) -> None:
        """Say what could be read of a damaged archive once it is open, or that nothing could, with its backup."""
        if self._offered is None:
            return
        (folder, backup), left = self._offered, self._archive.salvaged
        if left is not None and self._archive.home == folder:
            cases = counted(left.cases, "case")
            text = f"The archive {folder.name} is damaged. {cases} of it can be searched, not changed."
        elif not self._background.idle():
            return
        else:
            text = f"The archive {folder.name} is damaged, and nothing of it can be read."
        self._offered = None
        text += f" Its newest backup is {backup.age()} old." if backup else " It has no backup."
        action = "Restore backup…" if backup else ""
        self.message.emit(Message(text, PROBLEM, "", action, lambda: self.ask(backup.path, folder) if backup else None))


def _is_due(source: Source) -> bool:
    if is_encrypted(source.path) and not is_unlocked(source.folder):
        return False  # its passphrase was asked for already
    newest = next(reversed(backups_of(source)), None)
    size = source.path.stat().st_size
    return not is_read_only(source.path) and POLICY.is_due(newest.made if newest else None, datetime.now(UTC), size)


def _listed(source: Source) -> list[Listed]:
    return [
        Listed(
            f"{one.made.astimezone():%Y-%m-%d %H:%M}, {counted(one.rows, 'case')}",
            f"{one.age()} old{', before an upgrade' if one.reason else ''}",
            one.path,
        )
        for one in reversed(backups_of(source))
    ]
