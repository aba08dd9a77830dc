"""Reads what can be read of a damaged archive into a new one, which is then opened read-only. Changes nothing of it.

A row is taken if SQLite can read it and it is as it was written (its checksum). Rows with an id are asked for one by
one, so that one damaged page costs only what is on it; of the few other tables what comes before the damage is taken.
"""

import json
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from engine.errors import Cancelled, UserError
from engine.progress import IsCancelled, Progress, ignore, never
from engine.resources import user_folder
from engine.store import identity
from engine.store.backup.source import archive_source
from engine.store.encryption.key_file import FILE as ENCRYPTION_FILE
from engine.store.encryption.unlocked import key_of
from engine.store.folder import schema
from engine.store.safety.checksums import KEYS, WHOLE, is_sealed, seal, seal_all
from engine.store.safety.connection import connect_read_only, opened
from engine.store.safety.removal import note_rewritten
from engine.store.safety.salvaged import Salvaged, mark, salvaged
from engine.store.safety.whole_file import flush_folder

FOLDER = "salvaged"
BY_ID = ("cases", "images", "reports", "embeddings", "imports", "audit")
LEFT_OUT = (
    "checksums",
    "new_embeddings",
    "new_facts",
    "audit_chain",
    "audit_head",
    "sqlite_sequence",
    "_sqlite_migrations",
)
"""What is made anew, or belongs to a re-indexing that can be repeated."""
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError)
Row = dict[str, Any]


def salvage(
    folder: Path, to: Path | None = None, progress: Progress = ignore, cancelled: IsCancelled = never
) -> tuple[Path, Salvaged]:
    """Write what can be read of a damaged archive into a new folder, unless that was done and nothing changed since.

    Args:
        folder: of the damaged archive.
        to: the new folder; None for one of the user's data.
        progress: hears of the rows.
        cancelled: ends it without a result.

    Returns:
        the new folder, and what could be read.

    Raises:
        UserError: nothing can be read, or the new folder cannot be written.
        Cancelled: it was ended.
    """
    source = archive_source(folder)
    target = to or _kept(folder)
    state = json.dumps([source.state(), len(schema.names())])
    known = salvaged(target)
    if known is not None and known.state == state:
        return target, known
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(".new", "", target.parent))
        try:
            cases, lost = _read(source.path, temporary, progress, cancelled)
            found = Salvaged(str(folder.absolute()), cases, lost, state)
            mark(temporary, found)
            flush_folder(temporary)
            if to is None:
                shutil.rmtree(target, ignore_errors=True)
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    except OSError as error:
        raise UserError(f"What is left of {folder} cannot be written to {target}: {error.strerror}.", target) from error
    return target, found


def forget_salvaged(folder: Path) -> None:
    """Remove what was salvaged of an archive into the user's data, once the archive is whole again."""
    shutil.rmtree(_kept(folder), ignore_errors=True)


def _kept(folder: Path) -> Path:
    return user_folder() / FOLDER / archive_source(folder).name


def _read(path: Path, folder: Path, progress: Progress, cancelled: IsCancelled) -> tuple[int, int]:
    """Fill a new archive in an empty folder; the number of its cases, and of the rows that are lost."""
    nothing = UserError(f"Nothing can be read of {path.parent}; restore it from a backup.", path.parent)
    key, cipher_key = _key(path.parent, folder), key_of(path)
    if cipher_key is not None:
        shutil.copyfile(path.parent / ENCRYPTION_FILE, folder / ENCRYPTION_FILE)
    with closing(opened(folder / path.name, cipher_key)) as made:
        (folder / path.name).chmod(0o600)
        new = Database(made)
        schema.migrations.apply(new)
        made.execute("PRAGMA foreign_keys = ON")
        made.execute("BEGIN")
        lost = 0
        try:
            with closing(_Damaged(path)) as old:
                for table in _tables(new):
                    for row in _rows(old, table, path.stat().st_size, cancelled):
                        lost += not (row and _insert(new, table, row))
                    progress(0, 0, f"Reading {table}")
        except UNREADABLE as error:
            raise nothing from error
        cases = int(new.table("cases").count)
        if not cases:
            raise nothing
        _complete_settings(new, key)
        made.execute("COMMIT")
    return cases, lost


class _Damaged:
    """A connection to the damaged database, opened anew after an error: SQLCipher's reads nothing more after one."""

    def __init__(self, path: Path) -> None:
        self._path, self.db = path, connect_read_only(path)

    def reopen(self) -> None:
        """Begin again."""
        self.db.close()
        self.db = connect_read_only(self._path)

    def close(self) -> None:
        """Close it."""
        self.db.close()


def _tables(db: Database) -> list[str]:
    """What is copied, cases first: other rows refer to them."""
    names = [name for name in db.table_names() if name not in LEFT_OUT and not name.startswith("reports_fts")]
    return [*BY_ID, *(name for name in names if name not in BY_ID)]


def _rows(old: _Damaged, table: str, size: int, cancelled: IsCancelled) -> Iterator[Row | None]:
    """The rows that can be read and are as they were written; None for each that is not. Raises Cancelled."""
    if table in BY_ID:
        for row_id in range(1, _highest(old, table, size) + 1):
            if cancelled():
                raise Cancelled
            try:
                found = old.db.execute(f"SELECT * FROM {table} WHERE id = ?", [row_id])
                rows = _named(found, found.fetchall())
            except UNREADABLE:
                old.reopen()
                yield None
                continue
            if rows:
                yield rows[0] if _is_good(old, table, row_id) else None
        return
    read: list[Row] = []
    try:
        found = old.db.execute(f"SELECT * FROM {table}")
        while row := found.fetchone():
            read += _named(found, [row])
    except UNREADABLE as error:
        old.reopen()
        if "no such table" not in str(error):  # as in an archive of an earlier version
            yield None
    together: dict[Any, list[Row]] = defaultdict(list)
    for one in read:
        together[one.get(KEYS.get(table, ""), WHOLE)].append(one)
    for key, rows in together.items():
        if cancelled():
            raise Cancelled
        good = table not in KEYS or _is_good(old, table, key)
        yield from (one if good else None for one in rows)


def _named(found: sqlite3.Cursor, rows: list[tuple[Any, ...]]) -> list[Row]:
    return [dict(zip((column[0] for column in found.description), row, strict=True)) for row in rows]


def _is_good(old: _Damaged, table: str, key: Any) -> bool:
    """Whether rows are as they were sealed; those whose checksum cannot be read, or of before there were any, count."""
    if table not in KEYS:
        return True
    try:
        return is_sealed(old.db, table, key)
    except UNREADABLE:
        old.reopen()
        return True


def _highest(old: _Damaged, table: str, size: int) -> int:
    """The highest id that a table may have; a file of `size` bytes has fewer rows than bytes."""
    found = 0
    for question, values in (
        ("SELECT seq FROM sqlite_sequence WHERE name = ?", [table]),
        (f"SELECT max(id) FROM {table}", []),
        ("SELECT max(id) FROM checksums WHERE name = ?", [table]),
    ):
        try:
            row = old.db.execute(question, values).fetchone()
        except UNREADABLE:
            old.reopen()
            continue
        if row and isinstance(row[0], int) and row[0] <= size:
            found = max(found, row[0])
    return found


def _insert(db: Database, table: str, row: Row) -> bool:
    """Whether a row could be inserted: what it refers to may be lost."""
    known = {column.name for column in db.table(table).columns}
    values = {name: value for name, value in row.items() if name in known}
    marks = ", ".join("?" * len(values))
    try:
        db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    except sqlite3.IntegrityError:
        return False
    return True


def _key(damaged: Path, folder: Path) -> identity.Identity:
    """The key of the archive; a new one if it is gone, with which no study is recognized."""
    try:
        identity.load_key(damaged)
    except UserError:
        return identity.create_key(folder)
    shutil.copyfile(damaged / identity.KEY_FILE, folder / identity.KEY_FILE)
    return identity.load_key(folder)


def _complete_settings(db: Database, key: identity.Identity) -> None:
    """What must be true of the new archive, and its checksums."""
    db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES ('identity_check', ?)", [key.check])
    bound = db.execute("SELECT bundle_id FROM embeddings GROUP BY bundle_id ORDER BY count(*) DESC").fetchone()
    if bound:
        db.execute("INSERT OR IGNORE INTO settings (name, value) VALUES ('bundle_id', ?)", [bound[0]])
    note_rewritten(db)
    for table in KEYS:
        seal_all(db, table)
    seal(db, "settings", WHOLE)
