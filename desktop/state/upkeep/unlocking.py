"""Asks for the passphrases of an encrypted archive and of encrypted reports, and opens what was locked. No widgets."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from desktop.errors import PROBLEM, Message
from desktop.state.similar.archive import ArchiveState
from engine.errors import LockedError, UserError
from engine.resources import user_folder
from engine.store.backup.backup import MANIFEST
from engine.store.encryption import system_keyring
from engine.store.encryption.key_file import WrongPassphraseError, read_id
from engine.store.encryption.unlocked import is_unlocked, unlock

WRONG = "This is not the passphrase. Type it again."
REPORTS_LOCKED = "The reports are locked: what you write is not saved until their passphrase is typed."
ARCHIVE_LOCKED = "The archive is locked. Type its passphrase to search it."
BACKUP_LOCKED = "The backup is locked and was not restored."
BACKUP_UNLOCKED = "The backup is unlocked. Restore it again."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a passphrase is asked for."""

    folder: Path
    what: Literal["archive", "reports", "backup"]

    @property
    def text(self) -> str:
        """A sentence for the user."""
        if self.what == "reports":
            return "The reports of this account are encrypted. Type their passphrase."
        name = f"The archive {self.folder.name}" if self.what == "archive" else "The backup"
        return f"{name} is encrypted. Type its passphrase."


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
        backup = (folder / MANIFEST).exists()
        new = Asked(folder, "reports" if folder == self._workspace else "backup" if backup else "archive")
        if new not in self._waiting:
            self._waiting.append(new)
            if len(self._waiting) == 1:
                self.asked.emit(new)

    @property
    def can_remember(self) -> bool:
        """Whether a passphrase may be kept in the keyring of the account, if the session has one."""
        return system_keyring.is_installed()

    def unlock(self, passphrase: str, *, remember: bool = False) -> None:
        """Try a passphrase on the folder that is being asked for; `unlocked` or `refused` follows."""
        if self._waiting:
            folders = [one.folder for one in self._waiting]
            work = as_work(_unlock, folders, passphrase, remember)
            self._background.start(
                work, self._take, key="unlock", lane=Lane.OPEN, failed=self._refuse, shows_failure=True
            )

    def leave_locked(self) -> None:
        """Stop asking for the folder; a message offers to do it again."""
        left = self._waiting.pop(0)
        error = LockedError("", left.folder)
        text = {"reports": REPORTS_LOCKED, "archive": ARCHIVE_LOCKED, "backup": BACKUP_LOCKED}[left.what]
        self.message.emit(Message(text, PROBLEM, "", "Type passphrase…", lambda: self.ask(error)))
        self._go_on()

    def _take(self, found: tuple[list[Path], str]) -> None:
        unlocked, problem = found
        self.unlocked.emit()
        if problem:
            self.message.emit(Message(problem, PROBLEM))
        opened = [one for one in self._waiting if one.folder in unlocked]
        self._waiting = [one for one in self._waiting if one not in opened]
        for one in opened:
            if one.what == "reports":
                self.workspace_unlocked.emit()
            elif one.what == "archive":
                self._archive.open(one.folder)
            else:
                self.message.emit(Message(BACKUP_UNLOCKED))
        self._go_on()

    def _refuse(self, error: BaseException) -> None:
        self.refused.emit(WRONG if isinstance(error, WrongPassphraseError) else str(error))

    def _go_on(self) -> None:
        if self._waiting:
            self.asked.emit(self._waiting[0])


def _unlock(folders: list[Path], passphrase: str, remember: bool) -> tuple[list[Path], str]:
    """Unlock the first folder, and the others as far as they have the same passphrase.

    Returns:
        which are unlocked, and why their passphrase was not remembered.
    """
    unlock(folders[0], passphrase)
    for folder in folders[1:]:
        with suppress(WrongPassphraseError):
            unlock(folder, passphrase)
    unlocked, problem = [folder for folder in folders if is_unlocked(folder)], ""
    try:
        for folder in unlocked if remember else ():
            system_keyring.keep(read_id(folder), passphrase)
    except UserError as error:
        problem = str(error)
    return unlocked, problem
