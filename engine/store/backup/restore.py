"""Restores an archive or the workspace from a backup. What is there is set aside, never overwritten.

An archive is a folder, and two renames replace it: the old one aside, the new one, complete and flushed, to its place.
After a kill between the two, the next opening does the second (`finish`). The workspace lies among other files: its
database is replaced in one transaction of SQLite, after a copy of everything was set aside.
"""

import os
import shutil
import sqlite3
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from engine.errors import DamagedError, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.backup.backup import Backup, backups_in, check, free_path, read, stamp
from engine.store.backup.copying import copy_database, copy_file
from engine.store.backup.source import Source, archive_source, workspace_source
from engine.store.encryption.key_file import FILE as ENCRYPTION_FILE
from engine.store.encryption.key_file import read_id
from engine.store.encryption.unlocked import is_encrypted, key_of, look_again
from engine.store.safety.audit_heads import forget, name_of
from engine.store.safety.connection import connect, opened, readable
from engine.store.safety.whole_file import flush, flush_folder, write_whole

READY = ".restored"
"""End of the name of a complete folder that takes the place of the archive."""
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
    finish(folder)
    _require_replaceable(folder)
    ready, aside = _ready(folder), _aside(folder.with_name(f"{folder.name}.{ASIDE}"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(".new", f"{folder.name}.", folder.parent))  # mode 0700
        try:
            _copy(backup, temporary, progress, cancelled)
            if _has_key_of(backup, folder):
                shutil.copyfile(folder / ENCRYPTION_FILE, temporary / ENCRYPTION_FILE)
                flush_folder(temporary)
            shutil.rmtree(ready, ignore_errors=True)  # of an attempt that ended before it changed anything
            temporary.rename(ready)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        flush(folder.parent)
        there = folder.exists()
        if there:
            folder.rename(aside)
        try:
            ready.rename(folder)
        except OSError:
            if there:
                aside.rename(folder)
            raise
        flush(folder.parent)
        forget(name_of(folder / backup.database))
    except OSError as error:
        raise UserError(
            f"{folder} cannot be replaced: {error.strerror}. Close other programs that use it, and check the disk.",
            folder,
        ) from error
    return aside if there else None


def finish(folder: Path) -> None:
    """Complete a restore that was killed after the old archive was set aside."""
    with suppress(OSError):
        folder = folder.resolve()
        if not folder.exists() and _ready(folder).is_dir():
            _ready(folder).rename(folder)


def restore_workspace(backup: Backup, folder: Path | None = None) -> Path | None:
    """Put reports, marks, settings and templates as they were backed up into the user's folder.

    Args:
        backup: of a workspace.
        folder: of the workspace; None for the user's folder.

    Returns:
        the folder with a copy of what was there; None when nothing was.

    Raises:
        UserError: the backup is damaged or of an archive, or the folder cannot be written.
    """
    if backup.kind != "workspace":
        raise UserError(f"{backup.path} is a backup of an archive: name its folder with --archive.")
    check(backup)
    source = workspace_source(folder)
    _require_same_key(backup, source)
    aside = _aside(source.folder / ASIDE)
    try:
        source.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        there = source.path.exists() or bool(source.beside())
        if there:
            aside.mkdir(mode=0o700)
            for path in source.beside():
                (aside / path).parent.mkdir(mode=0o700, exist_ok=True)
                shutil.copyfile(source.folder / path, aside / path)
            _set_database_aside(source.path, aside / source.database)
            flush_folder(aside)
        keep_passphrase = _has_key_of(backup, source.folder)
        for name in backup.files:
            if name != source.database and not (name == ENCRYPTION_FILE and keep_passphrase):
                (source.folder / name).parent.mkdir(mode=0o700, exist_ok=True)
                write_whole(source.folder / name, [(backup.path / name).read_bytes()])
        _replace_content(backup.path / source.database, source.path)
        if not is_encrypted(source.path):
            (source.folder / ENCRYPTION_FILE).unlink(missing_ok=True)
        forget(name_of(source.path))
    except OSError as error:
        raise UserError(f"{source.folder} cannot be written: {error.strerror}.", source.folder) from error
    return aside if there else None


def _set_database_aside(path: Path, target: Path) -> None:
    """Copy a database; of a damaged one the files themselves are moved. Raises OSError."""
    if not path.exists():
        return
    try:
        copy_database(path, target, ignore, never)
    except UserError:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).replace(target.with_name(target.name + suffix))


def _replace_content(copy: Path, path: Path) -> None:
    """Replace what a database holds by that of a copy, in one transaction, also while programs have it open.

    Where only one of the two is encrypted, the file is replaced, which no other program may have open.
    """
    if is_encrypted(copy) != is_encrypted(path):
        _replace_file(copy, path)
        return
    with readable(path.parent):
        db = connect(path)
        try:
            db.execute("PRAGMA synchronous = FULL")
            source = opened(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", key_of(copy), uri=True)
            try:
                source.backup(db.conn)
            finally:
                source.close()
        finally:
            db.close()


def _replace_file(copy: Path, path: Path) -> None:
    """Replace a database by a copy in one step. Raises OSError; UserError when another program has it open."""
    if path.exists() and _in_use(path):
        raise UserError(f"Another program has {path} open; close that program.", path)
    descriptor, name = tempfile.mkstemp(".new", f"{path.name}.", path.parent)  # created with mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as target, copy.open("rb") as source:
            shutil.copyfileobj(source, target)
        flush(temporary)
        temporary.replace(path)
        look_again()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def _has_key_of(backup: Backup, folder: Path) -> bool:
    """Whether a folder has the key of an encrypted backup, perhaps with another passphrase since."""
    try:
        return read_id(folder) == read_id(backup.path)
    except UserError:  # not encrypted, or damaged
        return False


def _require_same_key(backup: Backup, source: Source) -> None:
    """Raise UserError when both are encrypted, each with another key: one key file cannot be both for a moment."""
    both = is_encrypted(source.path) and is_encrypted(backup.path / source.database)
    if both and not _has_key_of(backup, source.folder):
        raise UserError(
            f"{source.folder} is encrypted with another key than this backup; decrypt it before: "
            "kindred decrypt --workspace",
            source.folder,
        )


def _copy(backup: Backup, folder: Path, progress: Progress, cancelled: IsCancelled) -> None:
    for name in backup.files:
        (folder / name).parent.mkdir(mode=0o700, exist_ok=True)
        copy_file(backup.path / name, folder / name, progress, cancelled)
    flush_folder(folder)


def _require_replaceable(folder: Path) -> None:
    """Raise UserError unless the folder is missing, empty, or an archive that no program has open."""
    source = archive_source(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not folder.is_dir() or not (source.path.exists() or source.beside()):
        raise UserError(f"{folder} holds something else than an archive; choose another folder.", folder)
    if source.path.exists() and _in_use(source.path):
        raise UserError(f"Another program has the archive {folder} open; close that program.", folder)


def _in_use(path: Path) -> bool:
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


def _ready(folder: Path) -> Path:
    return folder.with_name(folder.name + READY)


def _aside(path: Path) -> Path:
    return free_path(path.with_name(f"{path.name}-{stamp(datetime.now(UTC))}"))
