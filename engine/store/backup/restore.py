"""Restores an archive from a backup. What is there is set aside, never overwritten.

An archive is a folder, and two renames replace it: the old one aside, the new one, complete and flushed, to its place.
After a kill between the two, the next opening does the second (restoring.py).
"""

import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import DamagedError, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.backup.backup import Backup, backups_in, check, free_path, read, stamp
from engine.store.backup.copying import copy_file
from engine.store.backup.restored import note_restored
from engine.store.backup.restoring import ready_of, restoring, unfinished_of
from engine.store.backup.salvage import forget_salvaged
from engine.store.backup.source import archive_source
from engine.store.encryption.key_file import FILE as ENCRYPTION_FILE
from engine.store.encryption.key_file import read_id
from engine.store.encryption.unlocked import key_of
from engine.store.safety.audit_heads import forget, name_of
from engine.store.safety.connection import opened
from engine.store.safety.whole_file import flush, flush_folder

ASIDE = "before-restore"


def find(path: Path) -> Backup:
    """The backup in a folder, or the newest one of a folder of backups.

    Raises:
        UserError: there is none, or there are backups of several sources.
    """
    inside = backups_in(path)
    if not inside and path.is_dir():
        sources = [str(one) for one in sorted(path.iterdir()) if backups_in(one)]
        if sources:
            raise UserError(f"{path} has backups of several sources; choose one of: {', '.join(sources)}.", path)
    return inside[-1] if inside else read(path)


def restore_archive(
    backup: Backup, folder: Path, progress: Progress = ignore, cancelled: IsCancelled = never
) -> Path | None:
    """Put an archive as it was backed up into a folder. No program may have the archive there open.

    An encrypted one keeps the passphrase that the folder has now, if it was the same archive; else that of the backup.

    Returns:
        the folder that what was there is in now; None when nothing was.

    Raises:
        UserError: the backup is damaged or of a workspace, the folder holds something else than an archive, another
            program has it open, or it cannot be written. What was there is still there.
        Cancelled: it was ended, without a change.
    """
    if backup.kind != "archive":
        raise UserError(f"{backup.path} is a backup of the workspace, not of an archive; choose another one.")
    check(backup)
    folder = folder.resolve()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with restoring(folder):
            _require_replaceable(folder)
            return _replace(backup, folder, progress, cancelled)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be replaced: {error.strerror}. Close other programs that use it, and check the disk.",
            folder,
        ) from error


def _replace(backup: Backup, folder: Path, progress: Progress, cancelled: IsCancelled) -> Path | None:
    """Replace a folder that is locked. Raises OSError, UserError, Cancelled."""
    ready, aside = ready_of(folder), _aside(folder.with_name(f"{folder.name}.{ASIDE}"))
    temporary = unfinished_of(folder)
    temporary.mkdir(mode=0o700)
    try:
        copy_whole(backup, temporary, folder, progress, cancelled)
        note_restored(backup, temporary / backup.database)
        flush_folder(temporary)
        _require_replaceable(folder)  # again: it takes minutes to copy a large archive
        temporary.rename(ready)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    flush(folder.parent)
    forget(name_of(folder / backup.database))  # before: after a kill, the audit of the new one would be blamed
    there = folder.exists()
    try:
        if there:
            folder.rename(aside)
        ready.rename(folder)
    except OSError:
        if there and not folder.exists():
            aside.rename(folder)
        raise
    flush(folder.parent)
    forget_salvaged(folder)  # what it was read from is set aside, and can be salvaged from there
    return aside if there else None


def copy_whole(backup: Backup, to: Path, replaced: Path, progress: Progress, cancelled: IsCancelled) -> None:
    """Copy all files of a backup; what has its key keeps the passphrase that it has now. Raises OSError, Cancelled."""
    for name in backup.files:
        kept = name == ENCRYPTION_FILE and has_key_of(backup, replaced)
        (to / name).parent.mkdir(mode=0o700, exist_ok=True)
        copy_file((replaced if kept else backup.path) / name, to / name, progress, cancelled)


def has_key_of(backup: Backup, folder: Path) -> bool:
    """Whether a folder has the key of an encrypted backup, perhaps with another passphrase since."""
    try:
        return read_id(folder) == read_id(backup.path)
    except UserError:  # not encrypted, or damaged
        return False


def _require_replaceable(folder: Path) -> None:
    """Raise UserError unless the folder is missing, empty, or an archive that no program has open."""
    source = archive_source(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or not (source.path.exists() or source.beside()):
        raise UserError(f"{folder} holds something else than an archive; choose another folder.", folder)
    if source.path.exists() and in_use(source.path):
        raise UserError(f"Another program has the archive {folder} open; close that program.", folder)


def in_use(path: Path) -> bool:
    """Whether another connection has a database open: SQLite leaves WAL mode only without. A damaged one is not."""
    try:
        db = opened(path, key_of(path), wait=1)
        try:
            return bool(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete")
        finally:
            db.close()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except (sqlite3.DatabaseError, UnicodeDecodeError, DamagedError):
        return False


def _aside(path: Path) -> Path:
    return free_path(path.with_name(f"{path.name}-{stamp(datetime.now(UTC))}"))
