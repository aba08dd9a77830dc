"""Copies a database while it is used, and checks copies. Knows no table and no folder of backups.

SQLite's online backup copies what one moment of the database was: readers and writers go on meanwhile
(https://sqlite.org/backup.html).
"""

import hashlib
import sqlite3
from pathlib import Path

from engine.errors import Cancelled
from engine.progress import IsCancelled, Progress, ignore, never
from engine.store.encryption.unlocked import key_of
from engine.store.safety.connection import connect, connect_read_only, damaged, is_read_only, opened, readable

PAGES = 1024
"""Copied between two looks at whether to stop; 4 MB."""
BLOCK = 1 << 20


def copy_database(path: Path, target: Path, progress: Progress, cancelled: IsCancelled) -> None:
    """Copy a database into a new file, encrypted as it is, which needs no other but its key, and check the copy.

    Raises:
        UserError: it is damaged, or cannot be read or written.
        Cancelled: `cancelled` said so.
    """

    def report(_status: int, remaining: int, total: int) -> None:
        if cancelled():
            raise Cancelled
        progress(total - remaining, total, "Backup")

    with readable(path.parent):
        db = connect_read_only(path) if is_read_only(path) else connect(path)
        try:
            db.execute("BEGIN")
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on it sees no later change
            with readable(target.parent):
                out = opened(target, key_of(path))
                try:
                    target.chmod(0o600)
                    out.execute("PRAGMA synchronous = OFF")  # the whole folder is flushed before it counts
                    db.conn.backup(out, pages=PAGES, progress=report)
                    out.execute("PRAGMA journal_mode = DELETE")
                finally:
                    out.close()
            db.execute("ROLLBACK")
        finally:
            db.close()
    if not is_intact(target):
        raise damaged(path.parent)


def copy_file(path: Path, target: Path, progress: Progress = ignore, cancelled: IsCancelled = never) -> None:
    """Copy a file that nobody changes, readable by its owner only.

    Raises:
        OSError: it cannot be read or written.
        Cancelled: `cancelled` said so.
    """
    total = path.stat().st_size
    with path.open("rb") as source, target.open("xb") as copy:
        target.chmod(0o600)
        while block := source.read(BLOCK):
            if cancelled():
                raise Cancelled
            copy.write(block)
            progress(copy.tell(), total, "Copy")


def is_intact(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with a database that nobody has open."""
    try:
        db = connect_read_only(path)
        try:
            return bool(db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
        finally:
            db.close()
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return False


def count_rows(path: Path, table: str) -> int:
    """The rows of a table of a database that nobody has open; 0 where it has no such table."""
    db = connect_read_only(path)
    try:
        return int(db.table(table).count) if db.table(table).exists() else 0
    finally:
        db.close()


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()
