"""One SQLite file, opened for many readers and one writer at a time. Knows no table.

With WAL, readers go on while one connection writes. With `synchronous = NORMAL`, a killed process loses no committed
data, and a power cut at worst the last transactions, which the next import repeats. What nothing can repeat, such as a
signed report, is written `flushed`. A file that cannot be written is read without touching it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlite_utils import Database

from engine.store.safety.audit_chain import AuditChain, listed, remember_head
from engine.store.safety.audit_heads import name_of, remembered
from engine.store.safety.connection import connect, connect_read_only, is_read_only, readable, state_of, unchangeable

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
        self.read_only = is_read_only(path)
        """Whether the file can be read but not changed, as on a read-only disk."""
        self.trusted = False
        """Whether the schema was compared with our own: only then may triggers write to the full-text index."""
        self.chain: AuditChain | None = None
        """Chains the rows of the audit that a transaction writes, if the database has one."""
        self._trusting: set[Any] = set()
        self._state = state_of(path) if self.read_only else ()
        self._mine = threading.local()
        self._free: list[Database] = []
        self._lock = threading.RLock()
        self._watch: Database | None = None
        self._watching = threading.Lock()

    def read(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """The rows of one SELECT; readers never wait for the writer (WAL)."""
        with readable(self.path.parent), self._connection() as db:
            return db.execute(sql, parameters).fetchall()

    @contextmanager
    def write(self, *, flushed: bool = False) -> Iterator[Database]:
        """One transaction, committed as a whole or not at all. Waits for other writers, also in other processes.

        Args:
            flushed: wait until the disk holds it, so that a power cut does not lose it (`synchronous = FULL`).

        Raises:
            UserError: the database is read-only, damaged, locked for long, or the disk is full.
        """
        if self.read_only:
            raise unchangeable(self.path.parent)
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

    def begin_chain(self, chain: AuditChain) -> None:
        """Chain the audit from now on, and remember for this account how far it goes."""
        self.chain = chain
        if self.read_only:
            return
        if not self.read("SELECT 1 FROM audit_head"):
            with self.write() as db:
                chain.begin(db)
        with self.reading() as db:
            remember_head(db, name_of(self.path))

    def audit_problems(self) -> list[str]:
        """What is not as it was written of the audit, one phrase each; the chain is begun."""
        assert self.chain is not None
        with self.reading() as db:
            return self.chain.problems(db, remembered(name_of(self.path)))

    def rewrite(self) -> None:
        """Write the file anew without what deleted rows have left in it (VACUUM)."""
        if self.read_only:
            raise unchangeable(self.path.parent)
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
        db: Database | None = getattr(self._mine, "db", None)
        if db is not None and db.conn.in_transaction:
            return object()
        with self._watching, readable(self.path.parent):  # it has to be one connection, and one that writes nothing
            if self._watch is None:
                self._watch = connect(self.path)
            return self._watch.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """A connection without an open transaction, for what only reads."""
        with readable(self.path.parent), self._connection() as db:
            yield db

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        """The connection that this thread is using, so that a read sees its own uncommitted write; else a free one."""
        db: Database | None = getattr(self._mine, "db", None)
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


class LocalStore:
    """A folder with one such database, closed as a context manager; subclasses set `_database`."""

    _database: LocalDatabase

    def audit_problems(self) -> list[str]:
        """Which rows of the audit were changed, deleted, inserted or moved, one phrase each; empty when none was."""
        return self._database.audit_problems()

    def audit(self) -> list[dict[str, Any]]:
        """The audit without texts, oldest first: when, what, by whom (the name of a signature, and the account)."""
        with self._database.reading() as db:
            return listed(db)

    def require_writable(self) -> None:
        """Raise UserError when it is read-only, before work whose result could not be kept."""
        if self._database.read_only:
            raise unchangeable(self._database.path.parent)

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
