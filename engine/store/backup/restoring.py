"""Keeps others out of what is being restored, and ends a restore that was killed. Knows no backup and no table.

Who restores an archive holds a lock on a file beside the folder, which the system gives up when the process ends. Who
opens an archive looks before it opens the database and once more when it has it open, and who restores asks, when it
holds the lock, whether somebody has it open: so one of the two always sees the other.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.errors import UserError

LOCK = ".restoring"
"""End of the name of the file that is locked; it is there only while an archive is restored, or after a kill."""
WAIT = 1.0
"""Seconds to wait for who only completes what a kill has left."""


@contextmanager
def locked(lock: Path, folder: Path) -> Iterator[None]:
    """Hold the lock of what is restored in a folder.

    Raises:
        UserError: another process holds it.
        OSError: its file cannot be written.
    """
    from filelock import FileLock, Timeout  # it takes 0.1 s to import, which no start of the app should

    held = FileLock(lock, timeout=WAIT, mode=0o600)
    try:
        held.acquire()
    except Timeout:
        raise UserError(f"{folder} is being restored; try again when that has ended.", folder) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows deletes no open file
            lock.unlink(missing_ok=True)  # who waits for the lock of a file that is gone takes a new one
        held.release()


@contextmanager
def restoring(folder: Path) -> Iterator[None]:
    """Hold the lock of an archive whose folder is replaced; what a kill has left is completed or removed first.

    Raises UserError and OSError as `locked`.
    """
    with locked(lock_of(folder), folder):
        _complete(folder)
        yield


def finish(folder: Path) -> None:
    """Complete a restore that was killed after the old archive was set aside; remove what one killed before has left.

    Raises:
        UserError: the archive is being restored now.
    """
    with suppress(OSError):  # what cannot be written here can be opened as it is
        folder = folder.resolve()
        if lock_of(folder).exists() or (not folder.exists() and ready_of(folder).is_dir()):
            with restoring(folder):
                return


def _complete(folder: Path) -> None:
    """Give a complete folder its place if that is free; else the archive there was not touched yet. Raises OSError."""
    if not folder.exists() and ready_of(folder).is_dir():
        ready_of(folder).rename(folder)
    for left in (ready_of(folder), unfinished_of(folder)):
        shutil.rmtree(left, ignore_errors=True)


def ready_of(folder: Path) -> Path:
    """The complete folder that takes the place of the archive."""
    return folder.with_name(f"{folder.name}.restored")


def unfinished_of(folder: Path) -> Path:
    """The folder into which a backup is being copied."""
    return folder.with_name(f"{folder.name}{LOCK}.new")


def lock_of(folder: Path) -> Path:
    """The file that is locked."""
    return folder.with_name(f"{folder.name}{LOCK}")
