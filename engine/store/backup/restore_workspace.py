"""Restores the workspace, settings and templates from a backup. What is there is set aside, never overwritten.

The workspace lies among other files and may be open. So its database is replaced in one transaction of SQLite, once a
copy of all that was written until then is set aside, and the small files after it. A kill before that transaction
leaves everything as it was; after one that came later, the next opening replaces the small files (`finish`).
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from engine.errors import DamagedError, UserError
from engine.progress import ignore, never
from engine.store.backup.backup import Backup, check, free_path, stamp
from engine.store.backup.copying import copy_database
from engine.store.backup.restore import ASIDE, copy_whole, has_key_of, in_use
from engine.store.backup.restored import RESTORED, note_restored
from engine.store.backup.restoring import LOCK, locked
from engine.store.backup.source import Source, workspace_source
from engine.store.encryption.key_file import FILE as ENCRYPTION_FILE
from engine.store.encryption.unlocked import is_encrypted, key_of, look_again
from engine.store.safety.audit_heads import forget, name_of
from engine.store.safety.connection import connect, connect_read_only, opened, readable
from engine.store.safety.whole_file import flush, flush_folder, write_whole

READY = "restored"
"""The folder, in that of the workspace, with the complete copy that is taken over."""
UNFINISHED = f"{READY}.new"
ASIDE_UNFINISHED = f"{ASIDE}.new"
TRIES = 20
"""How often what was there is set aside anew because somebody wrote meanwhile."""


class _ChangedMeanwhile(Exception):
    """Somebody wrote after what was there had been set aside."""


def restore_workspace(backup: Backup, folder: Path | None = None) -> Path | None:
    """Put reports, marks, settings and templates as they were backed up into the user's folder.

    Args:
        backup: of a workspace.
        folder: of the workspace; None for the user's folder.

    Returns:
        the folder with a copy of what was there; None when nothing was.

    Raises:
        UserError: the backup is damaged or of an archive, the folder cannot be written, or others write without pause.
    """
    if backup.kind != "workspace":
        raise UserError(f"{backup.path} is a backup of an archive: name its folder with --archive.")
    check(backup)
    source = workspace_source(folder)
    _require_same_key(backup, source)
    try:
        source.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(_lock(source.folder), source.folder):
            _finish(source)
            _prepare(backup, source.folder)
            aside = _replace_database(source)
            _finish(source)
            return aside
    except OSError as error:
        raise UserError(f"{source.folder} cannot be written: {error.strerror}.", source.folder) from error


def finish(folder: Path) -> None:
    """Complete a restore that was killed after it replaced the database, or remove what one killed before has left.

    Raises:
        UserError: the workspace is being restored now.
    """
    if any(path.exists() for path in (folder / READY, folder / UNFINISHED, _lock(folder))):
        with suppress(OSError), locked(_lock(folder), folder):
            _finish(workspace_source(folder))


def _lock(folder: Path) -> Path:
    return folder / f"workspace{LOCK}"


def _prepare(backup: Backup, folder: Path) -> None:
    """Make the complete copy, with its row in the audit."""
    new = folder / UNFINISHED
    new.mkdir(mode=0o700)
    copy_whole(backup, new, folder, ignore, never)
    note_restored(backup, new / backup.database)
    flush_folder(new)
    new.rename(folder / READY)
    flush(folder)


def _replace_database(source: Source) -> Path | None:
    """Set aside what is there, and replace the database unless it has changed since; again if it has."""
    for _ in range(TRIES):
        there = source.path.exists() or bool(source.beside())
        aside = free_path(source.folder / f"{ASIDE}-{stamp(datetime.now(UTC))}") if there else None
        try:
            with readable(source.folder):
                _replace_content(source, aside)
            return aside
        except _ChangedMeanwhile:
            shutil.rmtree(aside or "", ignore_errors=True)
    raise UserError(f"Another program writes to {source.folder}; close Kindred, then try again.", source.folder)


def _replace_content(source: Source, aside: Path | None) -> None:
    """Set all aside, and replace what the database holds in one transaction, also while programs have it open."""
    watch = None if aside is None else _set_aside(source, aside)
    ready = source.folder / READY
    if (ready / ENCRYPTION_FILE).exists():  # an encrypted database is never without it
        write_whole(source.folder / ENCRYPTION_FILE, [(ready / ENCRYPTION_FILE).read_bytes()])

    def compare(status: int, _remaining: int, _total: int) -> None:
        copied = status == sqlite3.SQLITE_OK  # the first page is, so that nobody else can write any more
        if copied and watch is not None and _version(watch[0]) != watch[1]:
            raise _ChangedMeanwhile

    def let_go() -> None:
        if watch is not None:
            watch[0].execute("ROLLBACK")

    try:
        if is_encrypted(ready / source.database) == is_encrypted(source.path):
            _copy_content(ready / source.database, source.path, let_go, compare)
            return
    finally:
        if watch is not None:
            watch[0].close()
    _replace_file(ready / source.database, source.path)


def _copy_content(
    ready: Path, path: Path, let_go: Callable[[], None], compare: Callable[[int, int, int], None]
) -> None:
    """Replace what a database holds in one transaction, after `let_go`; `compare` hears of each page."""
    db = connect(path)
    try:
        db.execute("PRAGMA synchronous = FULL")
        copy = opened(ready, key_of(ready))
        try:
            size = db.execute("PRAGMA page_size").fetchone()[0]
            if copy.execute("PRAGMA page_size").fetchone()[0] != size:  # SQLite copies no pages of another size
                copy.execute("PRAGMA journal_mode = DELETE")
                copy.execute(f"PRAGMA page_size = {size}")
                copy.execute("VACUUM")
            let_go()
            copy.backup(db.conn, pages=1, progress=compare)
        finally:
            copy.close()
    finally:
        db.close()


def _replace_file(ready: Path, path: Path) -> None:
    """Replace a database by a copy, where one of the two is encrypted. Raises OSError, UserError."""
    if path.exists() and in_use(path):
        raise UserError(f"Another program has {path} open; close that program.", path)
    write_whole(path, [ready.read_bytes()])
    look_again()


def _require_same_key(backup: Backup, source: Source) -> None:
    """Raise UserError when both are encrypted, each with another key: one key file cannot be both for a moment."""
    both = is_encrypted(source.path) and is_encrypted(backup.path / source.database)
    if both and not has_key_of(backup, source.folder):
        raise UserError(
            f"{source.folder} is encrypted with another key than this backup; decrypt it before: "
            "kindred decrypt --workspace",
            source.folder,
        )


def _set_aside(source: Source, aside: Path) -> tuple[Database, int] | None:
    """Copy what is there, as `_copied`, into a folder that gets its name once it is complete; move what is damaged."""
    new, target, watch = source.folder / ASIDE_UNFINISHED, aside / source.database, None
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    for path in source.beside():
        (new / path).parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(source.folder / path, new / path)
    try:
        watch = _copied(source.path, new / source.database) if source.path.exists() else None
    except DamagedError:
        (new / source.database).unlink(missing_ok=True)
    flush_folder(new)
    new.rename(aside)
    flush(source.folder)
    if watch is None:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                source.path.with_name(source.path.name + suffix).replace(target.with_name(target.name + suffix))
    return watch


def _copied(path: Path, target: Path) -> tuple[Database, int]:
    """Copy a database, and return a connection that keeps writers waiting, with what tells of later changes.

    Raises:
        UserError: it cannot be read, as a DamagedError when it is damaged.
    """
    with readable(path.parent):
        watch = connect(path)
        try:
            watch.execute("BEGIN IMMEDIATE")
            before = _version(watch)
            copy_database(path, target, ignore, never)
            return watch, before
        except BaseException:
            watch.close()
            raise


def _version(db: Database) -> int:
    """Differs from an earlier one when another connection has changed the database since."""
    return int(db.execute("PRAGMA data_version").fetchone()[0])


def _finish(source: Source) -> None:
    """Replace the small files if the database was replaced, and remove the copy. Raises OSError."""
    ready, gone = source.folder / READY, source.folder / UNFINISHED
    for left in (gone, source.folder / ASIDE_UNFINISHED):
        shutil.rmtree(left, ignore_errors=True)
    if not ready.is_dir():
        return
    if _restored_rows(source.path) >= _restored_rows(ready / source.database) > set():
        for path in (one for one in ready.rglob("*") if one.is_file() and not one.name.startswith(source.database)):
            name = path.relative_to(ready)
            (source.folder / name).parent.mkdir(mode=0o700, exist_ok=True)
            write_whole(source.folder / name, [path.read_bytes()])
        if not is_encrypted(source.path):
            (source.folder / ENCRYPTION_FILE).unlink(missing_ok=True)
        forget(name_of(source.path))
    ready.rename(gone)
    shutil.rmtree(gone)
    look_again()  # another file may get the number of one of these


def _restored_rows(path: Path) -> set[tuple[object, ...]]:
    """The rows of the audit that say that a workspace was restored; each has its time."""
    try:
        with closing(connect_read_only(path)) as db:
            return set(db.execute("SELECT id, at, text FROM audit WHERE state = ?", [RESTORED]).fetchall())
    except sqlite3.DatabaseError:  # there is none, or it is damaged: it was not replaced
        return set()
