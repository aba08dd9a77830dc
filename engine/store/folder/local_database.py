"""One SQLite file, opened for many readers and one writer at a time. Knows no table.

With WAL, readers go on while one connection writes. With `synchronous = NORMAL`, a killed process loses no committed
data, and a power cut at worst the last transactions, which the next import repeats. What nothing can repeat, such as a
signed report, is written `flushed`. A file that cannot be written is read without touching it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlite_utils
from numpy.typing import NDArray

from engine.errors import DamagedError, UserError
from engine.store.database import Database
from engine.store.safety.audit_heads import name_of
from engine.store.safety.connection import (
    connect,
    connect_read_only,
    damaged,
    is_read_only,
    readable,
    state_of,
    unchangeable,
)
from engine.store.shared_sql import Values


class LocalDatabase(Database):
    """An SQLite file readable by its owner only. Threads may share it: each uses one connection at a time.

    Connections are pooled rather than kept per thread, since Python sees a new thread in each task of a Qt thread pool.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.read_only = is_read_only(path)
        """Whether the file can be read but not changed, as on a read-only disk."""
        self.trusted = False
        """Whether the schema was compared with our own: only then may triggers write to the full-text index."""
        self._trusting: set[Any] = set()
        self._state = state_of(path) if self.read_only else ()
        self._mine = threading.local()
        self._free: list[sqlite_utils.Database] = []
        self._lock = threading.RLock()
        self._watch: sqlite_utils.Database | None = None
        self._watching = threading.Lock()

    @property
    def where(self) -> str:
        """The folder."""
        return str(self.path.parent)

    @property
    def account_name(self) -> str:
        """By the path of the file."""
        return name_of(self.path)

    def damaged(self) -> DamagedError:
        """The error for content that is not what was written."""
        return damaged(self.path.parent)

    def unchangeable(self) -> UserError:
        """The error for a change of what can only be read."""
        return unchangeable(self.path.parent)

    def read(self, sql: str, parameters: Values = ()) -> list[Any]:
        """The rows of one SELECT; readers never wait for the writer (WAL)."""
        with readable(self.path.parent), self._connection() as db:
            return db.execute(sql, parameters).fetchall()

    def ids(self, sql: str, parameters: Values = ()) -> NDArray[np.int64]:
        """The one column of whole numbers of a SELECT, int64 [n]: one text is read sooner than many rows."""
        text = self.read(f"WITH found (id) AS ({sql}) SELECT group_concat(id) FROM found", parameters)[0][0]
        try:
            return np.fromstring(text or "", np.int64, sep=",")
        except (TypeError, ValueError):  # a text where a number belongs
            raise self.damaged() from None

    @contextmanager
    def write(self, *, flushed: bool = False) -> Iterator[sqlite_utils.Database]:
        """One transaction, committed as a whole or not at all. Waits for other writers, also in other processes.

        Args:
            flushed: wait until the disk holds it, so that a power cut does not lose it (`synchronous = FULL`).

        Raises:
            UserError: the database is read-only, damaged, locked for long, or the disk is full.
        """
        if self.read_only:
            raise self.unchangeable()
        with self._lock, readable(self.path.parent), self._connection() as db:
            db.execute(f"PRAGMA synchronous = {'FULL' if flushed else 'NORMAL'}")
            if self.trusted and db.conn not in self._trusting:  # not each time: it makes SQLite prepare all anew
                self._trusting.add(db.conn)
                db.execute("PRAGMA trusted_schema = ON")
            db.execute("BEGIN IMMEDIATE")
            try:
                before = self.chain.last(db) if self.chain else 0
                yield db
                if self.chain:
                    self.chain.extend(db, before)
                db.execute("COMMIT")  # may fail on a full disk, which leaves the transaction open
            except BaseException:
                if db.conn.in_transaction:  # SQLite ends it itself on some errors
                    db.execute("ROLLBACK")
                raise

    def rewrite(self) -> None:
        """Write the file anew without what deleted rows have left in it (VACUUM)."""
        if self.read_only:
            raise self.unchangeable()
        with self._lock, readable(self.path.parent), self._connection() as db:
            db.execute("VACUUM")

    def empty_log(self) -> bool:
        """Move the write-ahead log into the file and truncate it; False when another process still reads it."""
        with self._lock, readable(self.path.parent), self._connection() as db:
            return not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]

    def version(self) -> object:
        """Differs from an earlier one when any process has committed a change since, so that what was read may differ.

        A transaction of this thread makes every version differ, since it sees what it has not committed yet.

        Raises:
            UserError: the database cannot be reached.
        """
        if self.read_only:
            with readable(self.path.parent):
                return state_of(self.path)
        db: sqlite_utils.Database | None = getattr(self._mine, "db", None)
        if db is not None and db.conn.in_transaction:
            return object()
        with self._watching, readable(self.path.parent):  # it has to be one connection, and one that writes nothing
            if self._watch is None:
                self._watch = connect(self.path)
            return self._watch.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def reading(self) -> Iterator[sqlite_utils.Database]:
        """A connection without an open transaction, for what only reads."""
        with readable(self.path.parent), self._connection() as db:
            yield db

    @contextmanager
    def snapshot(self) -> Iterator[sqlite_utils.Database]:
        """A connection that sees the database as it is now. The write-ahead log grows until it ends."""
        with self.reading() as db:
            db.execute("BEGIN")
            try:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # it is as of the first read
                yield db
            finally:
                db.execute("ROLLBACK")

    @contextmanager
    def _connection(self) -> Iterator[sqlite_utils.Database]:
        """The connection that this thread is using, so that a read sees its own uncommitted write; else a free one."""
        db: sqlite_utils.Database | None = getattr(self._mine, "db", None)
        if db is not None:
            yield db
            return
        if self.read_only and (state := state_of(self.path)) != self._state:
            self._state = state  # another computer changed it, which a connection to an immutable file does not see
            self.close()
        try:
            db = self._free.pop()  # atomic, and readers never wait for the writer's lock
        except IndexError:
            db = connect_read_only(self.path) if self.read_only else connect(self.path)
        self._mine.db = db
        try:
            yield db
        finally:
            self._mine.db = None
            self._free.append(db)

    def close(self) -> None:
        """Close all connections; no thread may be using one."""
        with self._lock, self._watching:
            while self._free:
                db = self._free.pop()
                self._trusting.discard(db.conn)
                db.close()
            if self._watch is not None:
                self._watch.close()
                self._watch = None
