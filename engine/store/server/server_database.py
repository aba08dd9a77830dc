"""One PostgreSQL database, used by many desks: many readers, one writer at a time. Knows no table but `revision`.

Writers wait for each other at the one row of `revision`, which each transaction counts up: ids become visible in their
order, the audit is one chain, and a glance at the row says whether anyone has committed a change.
"""

import re
import selectors
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from engine.errors import DamagedError, UserError
from engine.store.address import Address
from engine.store.database import Database
from engine.store.safety.audit_chain import AuditChain
from engine.store.safety.checksums import Layout
from engine.store.server.connecting import connect, damaged, reachable, unchangeable
from engine.store.server.server_schema import file_layout
from engine.store.shared_sql import Cursor, Values

LONGEST = "5min"
"""For a statement of a search, so that none keeps the server busy for ever."""
MOST_IDLE = 4
"""Connections that a desk keeps without using them, since a server has few."""
MARKS = re.compile(r"'[^']*'|::|\?|:([a-z_]+)|%")
"""Literals and casts, which stay, and the marks of values."""

NEXT = "UPDATE revision SET number = number + 1 RETURNING set_config('statement_timeout', '0', true)"
"""Makes all other writers wait; what a write does, such as re-indexing, may take long."""


@cache
def in_psycopg(sql: str) -> str:
    """A statement with %s and %(name)s for its values."""

    def mark(found: re.Match[str]) -> str:
        text = found[0]
        if text == "?":
            return "%s"
        if found[1]:
            return f"%({found[1]})s"
        return text.replace("%", "%%")

    return MARKS.sub(mark, sql)


class ServerConnection:
    """Executes statements of ours, with answers in binary form."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.connection = connection

    def execute(self, sql: str, parameters: Any = ()) -> Cursor:
        """Execute one statement."""
        if not parameters:
            return self.connection.execute(sql, binary=True)
        return self.connection.execute(in_psycopg(sql), _kept(parameters), binary=True)

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement for each of some rows, and wait for the server once (pipeline mode)."""
        if not rows:
            return
        with self.connection.cursor() as cursor:
            cursor.executemany(in_psycopg(sql), [_kept(row) for row in rows])

    def layout(self, table: str) -> Layout:
        """The columns of a table that SQLite has too."""
        return file_layout(table)


class ServerDatabase(Database):
    """A database on a server. Threads may share it: each uses one connection at a time."""

    def __init__(self, address: Address) -> None:
        """Connect to it. Raises UserError."""
        self.address = address
        self.chain = None
        self._mine = threading.local()
        self._free: list[ServerConnection] = []
        self._writing = threading.RLock()
        self.read_only = False

    @property
    def where(self) -> str:
        """The address, which has no password."""
        return str(self.address)

    @property
    def account_name(self) -> str:
        """By the address."""
        return str(self.address)

    def damaged(self) -> DamagedError:
        """The error for content that is not what was written."""
        return damaged(self.address)

    def unchangeable(self) -> UserError:
        """The error for a change of what can only be read."""
        return unchangeable(self.address)

    def read(self, sql: str, parameters: Values = ()) -> list[Any]:
        """The rows of one SELECT; readers never wait for the writer (MVCC)."""
        with self.reading() as db:
            return db.execute(sql, parameters).fetchall()

    def ids(self, sql: str, parameters: Values = ()) -> NDArray[np.int64]:
        """The one column of whole numbers of a SELECT, int64 [n]: one text is received sooner than many rows."""
        text = self.read(f"SELECT string_agg(found.id::text, ',') FROM ({sql}) AS found (id)", parameters)[0][0]
        return np.fromstring(text or "", np.int64, sep=",")

    @contextmanager
    def write(self, *, flushed: bool = False) -> Iterator[ServerConnection]:
        """One transaction, committed as a whole or not at all, and always flushed. Waits for all other writers.

        Statements are sent without waiting for the one before (pipeline mode), since all others would wait too: a way
        to the server and back is waited for only where an answer is read. That is where an error is raised as well.
        """
        if self.read_only:
            raise self.unchangeable()
        with (
            self._writing,
            self._connection() as db,
            reachable(self.address),
            db.connection.pipeline(),
            db.connection.transaction(),
        ):
            db.execute(NEXT)
            before = self.chain.last(db) if self.chain else 0
            yield db
            if self.chain:
                self.chain.extend(db, before)

    @contextmanager
    def reading(self) -> Iterator[ServerConnection]:
        """A connection without an open transaction, for what only reads."""
        with self._connection() as db, reachable(self.address):
            yield db

    @contextmanager
    def snapshot(self) -> Iterator[ServerConnection]:
        """A connection that sees the database as it is now until the end, whatever others commit meanwhile."""
        with self.reading() as db:
            if _is_idle(db.connection):
                with db.connection.transaction():
                    db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                        db.execute(f"SET LOCAL {limit} = 0")
                    yield db
            else:  # inside a write of this thread
                yield db

    def begin_chain(self, chain: AuditChain) -> None:
        """As Database; each row is of the account on the server, which the server itself checks."""
        super().begin_chain(replace(chain, account=self.read("SELECT session_user::text")[0][0]))

    def audit_problems(self) -> list[str]:
        """As of one moment: a row that another desk adds meanwhile is no problem."""
        with self.snapshot():
            return super().audit_problems()

    @contextmanager
    def unlimited(self) -> Iterator[ServerConnection]:
        """A connection for maintenance, which may take hours, without an open transaction."""
        with self.reading() as db:
            db.execute("SET statement_timeout = 0")
            try:
                yield db
            finally:
                if not db.connection.broken:
                    db.execute(f"SET statement_timeout = '{LONGEST}'")

    def version(self) -> object:
        """The number of the last committed change."""
        db: ServerConnection | None = getattr(self._mine, "db", None)
        if db is not None and not _is_idle(db.connection):
            return object()
        return self.read("SELECT number FROM revision")[0][0]

    @contextmanager
    def _connection(self) -> Iterator[ServerConnection]:
        """The connection that this thread is using, so that a read sees its own uncommitted write; else a free one."""
        db: ServerConnection | None = getattr(self._mine, "db", None)
        if db is not None:
            yield db
            return
        db = self._answering()
        self._mine.db = db
        try:
            yield db
        finally:
            self._mine.db = None
            if db.connection.broken or not _is_idle(db.connection) or len(self._free) >= MOST_IDLE:
                db.connection.close()
            else:
                self._free.append(db)

    def _answering(self) -> ServerConnection:
        """A free connection, or a new one. One that lay idle may have been lost with the server, which it notices."""
        while self._free:
            try:
                db = self._free.pop()
            except IndexError:  # another thread was faster
                break
            if not db.connection.closed and not _is_lost(db.connection):
                return db
            db.connection.close()
        db = ServerConnection(connect(self.address))
        with reachable(self.address):
            db.execute(f"SET statement_timeout = '{LONGEST}'")
        return db

    def close(self) -> None:
        """Close all connections; no thread may be using one."""
        while self._free:
            self._free.pop().connection.close()


def _is_idle(connection: psycopg.Connection[Any]) -> bool:
    """Whether no transaction is open."""
    return connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def _kept(values: Any) -> Any:
    """Values as PostgreSQL keeps them: its texts have no NUL, which has no meaning in a text of ours."""
    if isinstance(values, str):
        return values.replace("\0", "")
    if isinstance(values, dict):
        return {name: _kept(value) for name, value in values.items()}
    return [_kept(value) for value in values] if isinstance(values, list | tuple) else values


def _is_lost(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has ended an idle connection, as far as this computer has heard."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        try:
            while selector.select(0):  # first why it ended the connection, then the end
                connection.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
    return connection.broken
