"""Opens the database and the key of an archive. Looks before it changes anything, and one process at a time creates.

A database that is not an archive is refused as it is. What is missing is made in one transaction, which other processes
wait for: of two that create an archive at the same moment, the second one opens what the first one made. A keyed hash
in the database says whether the key beside it is the one that the archive was made with. Knows no case.
"""

import sqlite3
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from engine.errors import DamagedError, UserError
from engine.progress import Progress, ignore
from engine.store import identity
from engine.store.backup.backup import UPGRADE
from engine.store.backup.making import Making, make
from engine.store.backup.source import archive_source
from engine.store.folder import schema
from engine.store.folder.local_database import LocalDatabase
from engine.store.identity import Identity
from engine.store.safety.checksums import WHOLE, is_sealed, seal
from engine.store.safety.connection import connect, connect_read_only, damaged, readable
from engine.store.safety.known_archives import is_known, remember
from engine.store.safety.removal import note_rewritten

CHECK = "identity_check"
"""Name of the setting with the keyed hash."""
READ_OBJECTS = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'"


def open_archive(database: LocalDatabase, folder: Path, progress: Progress = ignore) -> Identity:
    """Open the archive in a folder, create or migrate it as far as needed, and return its key.

    Args:
        database: of the archive.
        folder: of the archive.
        progress: hears of a migration; what it raises ends that, and the archive stays as it was.

    Raises:
        UserError: it is another program's database, a newer version of Kindred created it, it is damaged, its key is
            missing or of another archive, or it would have to be migrated and is read-only, or cannot be backed up
            before.
    """
    key = None
    if not _is_new(database.path):
        with database.reading() as db:
            key = _complete(db, folder, database.read_only)
            older = key is None and bool(schema.pending(db))
        if older:
            make(archive_source(folder), making=Making(UPGRADE, always=True, progress=progress))
    if key is None:
        with database.write() as db:
            key = _completed(db, folder, progress)
    database.trusted = True
    return key


def is_alone(path: Path) -> bool:
    """Whether no other process has a database open; SQLite leaves WAL mode only then."""
    try:
        with readable(path.parent):
            db = connect(path)
            try:
                return bool(db.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete")
            finally:
                db.close()
    except (UserError, sqlite3.OperationalError):
        return False


def _is_new(path: Path) -> bool:
    """Whether the creation of this database never ended. UserError when another program made it; never changes it."""
    if not path.exists() or not path.stat().st_size:
        return True
    with readable(path.parent):
        try:
            objects = _objects(path, True)
        except (sqlite3.DatabaseError, UnicodeDecodeError):  # it may be being written, which "immutable" hides
            objects = _objects(path, False)
    names = {name for _, name, _ in objects if "_sqlite_migrations" not in name}
    if names and not {"cases", "images", "reports", "settings"} <= names:
        raise UserError(
            f"{path} is the database of another program and was not changed; choose another folder.", path.parent
        )
    return not names


def _objects(path: Path, immutable: bool) -> list[tuple[str, str, str]]:
    db = connect_read_only(path, immutable)
    try:
        return list(db.execute(READ_OBJECTS).fetchall())
    finally:
        db.close()


def _complete(db: Database, folder: Path, read_only: bool) -> Identity | None:
    """The key of an archive that needs no change; None when it needs one."""
    schema.require_known(db, str(folder))
    check = _check(db)
    if schema.pending(db) or (check is None and not read_only):
        if read_only:
            raise UserError(
                f"{folder} was made by an older version of Kindred and is read-only; open it once in a folder that you "
                "can write to, such as a copy of it. After that it can be searched where it is read-only.",
                folder,
            )
        return None
    return _examined(db, folder, check)


def _completed(db: Database, folder: Path, progress: Progress) -> Identity:
    """Make what is missing, inside the transaction that is open, and return the key."""
    started = db.table("cases").exists()
    if not started and not (folder / identity.KEY_FILE).exists():
        identity.create_key(folder)
    key = identity.load_key(folder)
    try:
        schema.upgrade(db, str(folder), progress)
    except sqlite3.OperationalError as error:
        if (
            started and error.sqlite_errorcode == sqlite3.SQLITE_ERROR
        ):  # its list of migrations is not that of its tables
            raise damaged(folder) from error
        raise
    if not started:
        note_rewritten(db)
    if _check(db) is None and is_sealed(db, "settings", WHOLE):  # else it is lost: see _examined
        db.execute("INSERT INTO settings (name, value) VALUES (?, ?)", [CHECK, key.check])
        seal(db, "settings", WHOLE)
    return _examined(db, folder, _check(db))


def _check(db: Database) -> str | None:
    if not db.table("settings").exists():
        return None
    row = db.execute("SELECT value FROM settings WHERE name = ?", [CHECK]).fetchone()
    return row[0] if row else None


def _examined(db: Database, folder: Path, check: str | None) -> Identity:
    """The key, after it was compared with the database, and the database, new to this user, with itself."""
    key = identity.load_key(folder)
    if check is not None and check != key.check:
        raise DamagedError(
            f"{folder / identity.KEY_FILE} is not the key of this archive; restore both files from one backup.", folder
        )
    if schema_problems(db) or not is_sealed(db, "settings", WHOLE):
        raise damaged(folder)
    if not is_known(folder, key.check):
        if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged(folder)
        remember(folder, key.check)
    return key


def schema_problems(db: Database) -> list[str]:
    """How tables, indexes and triggers differ from those that the migrations make; views and triggers of others too."""
    found = _normal(db.execute(READ_OBJECTS).fetchall())
    wrong = {name for (name, sql) in _expected().items() if found.get(name) != sql}
    foreign = {name for name in found if name[0] in ("trigger", "view")} - _expected().keys()
    return [f"the {kind} {name} is not as Kindred made it" for kind, name in sorted(wrong | foreign)]


@cache
def _expected() -> dict[tuple[str, str], str]:
    db = Database(memory=True)
    schema.migrations.apply(db)
    try:
        return _normal(db.execute(READ_OBJECTS).fetchall())
    finally:
        db.close()


def _normal(objects: list[tuple[str, str, str]]) -> dict[tuple[str, str], str]:
    """The SQL of each object with single spaces; without the tables that sqlite-utils and FTS5 make for themselves."""
    own = {(kind, name): " ".join((sql or "").split()) for kind, name, sql in objects if "_sqlite_mig" not in name}
    return {one: sql for one, sql in own.items() if one[0] != "table" or not one[1].startswith("reports_fts_")}
