"""Asks for the passphrases of an encrypted archive and of encrypted reports, and opens what was locked. No widgets."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.errors import PROBLEM, Message
from desktop.state.similar.archive import ArchiveState
from engine.errors import LockedError
from engine.resources import user_folder
from engine.store.encryption.key_file import WrongPassphraseError
from engine.store.encryption.unlocked import is_unlocked, unlock

WRONG = "This is not the passphrase. Type it again."
REPORTS_LOCKED = "The reports are locked: what you write is not saved until their passphrase is typed."
ARCHIVE_LOCKED = "The archive is locked. Type its passphrase to search it."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a passphrase is asked for."""

    folder: Path
    is_workspace: bool

    @property
    def text(self) -> str:
        """A sentence for the user."""
        if self.is_workspace:
            return "The reports of this account are encrypted. Type their passphrase."
        return f"The archive {self.folder.name} is encrypted. Type its passphrase."


class UnlockingState(QObject):
    """One passphrase is asked for at a time; it is tried on the other locked folder too."""

    asked = Signal(object)
    """An Asked, which waits for `unlock` or `leave_locked`."""
    refused = Signal(str)
    """Why a passphrase did not unlock what was asked for."""
    unlocked = Signal()
    """What was asked for is unlocked."""
    workspace_unlocked = Signal()
    message = Signal(object)
    """A Message."""

    def __init__(
        self,
        background: Background,
        archive: ArchiveState,
        workspace: Path | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._archive = background, archive
        self._workspace = workspace or user_folder()
        self._waiting: list[Asked] = []
        """What is locked; the first one is being asked for."""

    def ask(self, error: LockedError) -> None:
        """Ask for the passphrase of the folder that an error names, unless that is being done."""
        folder = Path(error.other)
        new = Asked(folder, folder == self._workspace)
        if new not in self._waiting:
            self._waiting.append(new)
            if len(self._waiting) == 1:
                self.asked.emit(new)

    def unlock(self, passphrase: str) -> None:
        """Try a passphrase on the folder that is being asked for; `unlocked` or `refused` follows."""
        if self._waiting:
            folders = [one.folder for one in self._waiting]
            work = as_work(_unlock, folders, passphrase)
            self._background.start(
                work, self._take, key="unlock", lane=Lane.OPEN, failed=self._refuse, shows_failure=True
            )

    def leave_locked(self) -> None:
        """Stop asking for the folder; a message offers to do it again."""
        left = self._waiting.pop(0)
        error = LockedError("", left.folder)
        text = REPORTS_LOCKED if left.is_workspace else ARCHIVE_LOCKED
        self.message.emit(Message(text, PROBLEM, "", "Type passphrase…", lambda: self.ask(error)))
        self._go_on()

    def _take(self, unlocked: list[Path]) -> None:
        self.unlocked.emit()
        opened = [one for one in self._waiting if one.folder in unlocked]
        self._waiting = [one for one in self._waiting if one not in opened]
        for one in opened:
            if one.is_workspace:
                self.workspace_unlocked.emit()
            else:
                self._archive.open(one.folder)
        self._go_on()

    def _refuse(self, error: BaseException) -> None:
        self.refused.emit(WRONG if isinstance(error, WrongPassphraseError) else str(error))

    def _go_on(self) -> None:
        if self._waiting:
            self.asked.emit(self._waiting[0])


def _unlock(folders: list[Path], passphrase: str) -> list[Path]:
    """Unlock the first folder, and the others as far as they have the same passphrase; which are unlocked."""
    unlock(folders[0], passphrase)
    for folder in folders[1:]:
        with suppress(WrongPassphraseError):
            unlock(folder, passphrase)
    return [folder for folder in folders if is_unlocked(folder)]
