"""The SQL that SQLite and PostgreSQL share: connections, rows, ids. Knows no table and opens no database.

Statements have `?` or `:name` for values. Where the two databases differ, each store has a module of its own
(engine/store/folder, engine/store/server).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

MOST_IDS = 500
"""Ids in one statement; SQLite binds 32,766 variables by default, PostgreSQL 65,535."""
Values = Sequence[Any] | dict[str, Any]


class Cursor(Protocol):
    """The answer to one statement."""

    @property
    def description(self) -> Any:
        """Its columns, the name first (PEP 249)."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Row by row."""


class Connection(Protocol):
    """Where a transaction executes its statements."""

    def execute(self, sql: str, parameters: Any = ...) -> Cursor:
        """Execute one statement."""


@runtime_checkable
class ExecutesMany(Protocol):
    """A connection to a server, where each statement is a way there and back."""

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Execute one statement for each of some rows, and wait for the server once."""


class StoredVector(bytes):
    """A vector as a database keeps it: little-endian float16 [D]. PostgreSQL keeps it as `halfvec`."""

    @classmethod
    def of(cls, vector: NDArray[np.floating]) -> "StoredVector":
        """That of float [D]."""
        return cls(np.ascontiguousarray(vector, "<f2").tobytes())


def read_many(read: Callable[..., list[Any]], sql: str, ids: Sequence[int]) -> list[Any]:
    """The rows of a SELECT with "IN ({})" for any number of ids."""
    rows: list[Any] = []
    for start in range(0, len(ids), MOST_IDS):
        some = ids[start : start + MOST_IDS]
        rows += read(sql.format(", ".join("?" * len(some))), some)
    return rows


def insert(db: Connection, table: str, **values: Any) -> int:
    """Insert one row inside an open transaction and return its id."""
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id"
    return int(db.execute(statement, list(values.values())).fetchall()[0][0])


def execute_many(db: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute one statement for each of some rows, in an open transaction."""
    if isinstance(db, ExecutesMany):
        db.execute_many(sql, rows)
        return
    for row in rows:
        db.execute(sql, row)


def put(db: Connection, table: str, by: Sequence[str], **values: Any) -> None:
    """Insert one row, or replace the values of the one with the same `by` (columns), in an open transaction."""
    columns, marks = ", ".join(values), ", ".join("?" * len(values))
    changes = ", ".join(f"{name} = excluded.{name}" for name in values if name not in by)
    replaced = f"ON CONFLICT ({', '.join(by)}) DO UPDATE SET {changes}"
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks}) {replaced}", list(values.values()))


def now() -> str:
    """The current time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
