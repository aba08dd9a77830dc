"""One SQLite file, opened for many readers and one writer at a time. Knows no table.

WAL lets readers go on while one writes; `synchronous = NORMAL` means that a killed process loses nothing committed
and a power cut at worst the last transactions, which the next import brings again.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from engine.errors import UserError


class LocalDatabase:
    """Owner-only SQLite file, usable from several threads: each has a connection of its own while it reads or writes.

    Then another may have it: a thread of a pool of Qt is a new one to Python for each task, so what is kept for a
    thread would be lost with every task, and stay open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()
        self._free: list[Database] = []
        self._lock = threading.RLock()

    def read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Rows of one SELECT; readers never wait for the writer (WAL)."""
        with _readable(self.path.parent), self._connection() as db:
            return db.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self) -> Iterator[Database]:
        """One transaction: everything inside is kept, or nothing. Waits for other writers, also other processes."""
        with self._lock, _readable(self.path.parent), self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")  # here too the disk may turn out to be full, and the transaction stays open
            except BaseException:
                if db.conn.in_transaction:  # SQLite itself ends it on some errors
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def exclusive(self) -> Iterator[Database]:
        """A connection with no transaction open, other threads kept out: for migrations."""
        with self._lock, _readable(self.path.parent), self._connection() as db:
            yield db

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        """The one that this thread uses already, so that a read in a write sees what was written; else a free one."""
        db: Database | None = getattr(self._mine, "db", None)
        if db is not None:
            yield db
            return
        try:
            db = self._free.pop()  # atomic, and readers never wait for the writer's lock
        except IndexError:
            db = self._open()
        self._mine.db = db
        try:
            yield db
        finally:
            self._mine.db = None
            self._free.append(db)

    def _open(self) -> Database:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None, check_same_thread=False)
        self.path.chmod(0o600)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 30000"):
            connection.execute(f"PRAGMA {pragma}")
        return Database(connection)

    def close(self) -> None:
        """Close all connections; the work of all threads must have ended."""
        with self._lock:
            while self._free:
                self._free.pop().close()


class LocalStore:
    """A folder whose truth is one such file, closed as a context manager. Who inherits sets `_database`."""

    _database: LocalDatabase

    def close(self) -> None:
        """Close the connections of all threads; their work must have ended."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def insert(db: Database, table: str, **values: Any) -> int:
    """Insert one row inside an open transaction and return its id."""
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    row_id = db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", list(values.values())).lastrowid
    assert row_id is not None
    return row_id


def now() -> str:
    """The present moment in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Turn SQLite's own errors about the file into a sentence; errors of ours keep their traceback."""
    try:
        yield
    except PermissionError as error:
        raise UserError(
            f"{folder} belongs to another user or cannot be written; copy it to a folder of yours.", folder
        ) from error
    except sqlite3.OperationalError as error:
        if any(word in str(error) for word in ("locked", "readonly", "unable to open", "full", "disk I/O")):
            raise UserError(
                f"{folder} cannot be used now ({error}); free it or its disk, then try again.", folder
            ) from error
        raise
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise UserError(f"The database in {folder} is damaged; restore it from its backup.", folder) from error
        raise
