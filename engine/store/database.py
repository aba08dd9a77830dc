"""One SQLite file, opened for many readers and one writer at a time. Knows no table.

With WAL, readers go on while one connection writes. With `synchronous = NORMAL`, a killed process loses no committed
data, and a power cut at worst the last transactions, which the next import repeats. What nothing can repeat, such as a
signed report, is written `flushed`.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from engine.errors import UserError

MOST_IDS = 500
"""Ids in one statement; SQLite binds 32,766 variables by default."""


def read_many(read: Callable[..., list[Any]], sql: str, ids: Sequence[int]) -> list[Any]:
    """The rows of a SELECT with "IN ({})" for any number of ids."""
    rows: list[Any] = []
    for start in range(0, len(ids), MOST_IDS):
        some = ids[start : start + MOST_IDS]
        rows += read(sql.format(", ".join("?" * len(some))), some)
    return rows


class LocalDatabase:
    """An SQLite file readable by its owner only. Threads may share it: each uses one connection at a time.

    Connections are pooled rather than kept per thread, since Python sees a new thread in each task of a Qt thread pool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine = threading.local()
        self._free: list[Database] = []
        self._lock = threading.RLock()

    def read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """The rows of one SELECT; readers never wait for the writer (WAL)."""
        with _readable(self.path.parent), self._connection() as db:
            return db.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self, *, flushed: bool = False) -> Iterator[Database]:
        """One transaction, committed as a whole or not at all. Waits for other writers, also in other processes.

        Args:
            flushed: wait until the disk holds it, so that a power cut does not lose it (`synchronous = FULL`).
        """
        with self._lock, _readable(self.path.parent), self._connection() as db:
            db.execute(f"PRAGMA synchronous = {'FULL' if flushed else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")  # may fail on a full disk, which leaves the transaction open
            except BaseException:
                if db.conn.in_transaction:  # SQLite ends it itself on some errors
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def exclusive(self) -> Iterator[Database]:
        """A connection without an open transaction, other writers locked out: for migrations."""
        with self._lock, _readable(self.path.parent), self._connection() as db:
            yield db

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        """The connection that this thread is using, so that a read sees its own uncommitted write; else a free one."""
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
        """Close all connections; no thread may be using one."""
        with self._lock:
            while self._free:
                self._free.pop().close()


class LocalStore:
    """A folder with one such database, closed as a context manager; subclasses set `_database`."""

    _database: LocalDatabase

    def close(self) -> None:
        """Close the connections of all threads; none may be in use."""
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
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextmanager
def _readable(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors about the file into UserError; errors in our SQL keep their traceback."""
    try:
        yield
    except PermissionError as error:
        raise UserError(f"Permission denied: {folder}; copy it to a folder that you can write to.", folder) from error
    except sqlite3.OperationalError as error:
        if any(word in str(error) for word in ("locked", "readonly", "unable to open", "full", "disk I/O")):
            raise UserError(f"{_problem(folder, str(error))}, then try again.", folder) from error
        raise
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise UserError(f"The database in {folder} is damaged; restore it from a backup.", folder) from error
        raise


def _problem(folder: Path, error: str) -> str:
    if "locked" in error:
        return f"The database in {folder} is locked by another program; close that program"
    if "full" in error:
        return f"The database in {folder} cannot be written since the disk is full; free some space"
    return f"The database in {folder} cannot be read or written ({error}); check the disk and its permissions"
