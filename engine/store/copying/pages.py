"""Compares one page of a table in two databases, and makes the second one equal. Knows no store.

Rows are compared by their checksums, else by their values, so that a copy that was interrupted goes on where it was.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from engine.store.copying.tables import Table, columns_of
from engine.store.safety.checksums import PUT, stored_crcs, stored_key
from engine.store.shared_sql import Connection, StoredVector, execute_many

VECTOR = "vector"


def next_numbers(db: Connection, table: Table, after: int) -> list[int]:
    """The numbers of the next page."""
    name, column = table.numbers
    found = db.execute(f"SELECT {column} FROM {name} WHERE {column} > ? ORDER BY {column} LIMIT ?", [after, table.page])
    return [row[0] for row in found.fetchall()]


def superfluous(source: Connection, table: Table, numbers: Sequence[int]) -> list[int]:
    """Those of some numbers that the source does not have."""
    name, column = table.numbers
    present = source.execute(f"SELECT {column} FROM {name} WHERE {column} IN ({_marks(numbers)})", numbers).fetchall()
    return sorted({*numbers} - {row[0] for row in present})


def delete(target: Connection, table: Table, numbers: Sequence[int]) -> None:
    """Delete the rows with these numbers, inside a transaction that is open; what refers to them goes with them."""
    target.execute(f"DELETE FROM {table.name} WHERE {table.key} IN ({_marks(numbers)})", numbers)


def different(source: Connection, target: Connection, table: Table, numbers: Sequence[int]) -> list[int]:
    """Those of some numbers under which the two do not have the same."""
    own, its = _signatures(source, table, numbers), _signatures(target, table, numbers)
    return [number for number in numbers if own.get(number) != its.get(number)]


def copy(source: Connection, target: Connection, table: Table, numbers: Sequence[int]) -> None:
    """Replace what the target has under these numbers, inside a transaction that is open."""
    names = columns_of(table, source, target)
    found = source.execute(
        f"SELECT {', '.join(names)} FROM {table.name} WHERE {table.key} IN ({_marks(numbers)})", numbers
    )
    at = names.index(VECTOR) if VECTOR in names else -1
    rows: list[list[Any]] = [
        [StoredVector(value) if n == at else value for n, value in enumerate(row)] for row in found.fetchall()
    ]
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({_marks(names)})"
    if table.is_grouped:
        delete(target, table, numbers)
    else:
        changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != table.key)
        statement += f" ON CONFLICT ({table.key}) DO UPDATE SET {changes}"
    execute_many(target, statement, rows)
    if table.seal_key:
        keys: list[Any] = list(numbers)
        if table.seal_key != table.key:
            keys = [row[names.index(table.seal_key)] for row in rows]
        _copy_checksums(source, target, table, keys)


def _copy_checksums(source: Connection, target: Connection, table: Table, keys: Sequence[Any]) -> None:
    if not keys:
        return
    crcs = stored_crcs(source, table.name, keys)
    execute_many(target, PUT, [[table.name, stored_key(target, key), crc] for key, crc in crcs.items()])
    gone = [stored_key(target, key) for key in keys if key not in crcs]
    if gone:
        target.execute(f"DELETE FROM checksums WHERE name = ? AND id IN ({_marks(gone)})", [table.name, *gone])


def _signatures(db: Connection, table: Table, numbers: Sequence[int]) -> dict[Any, Any]:
    """What is compared, by number."""
    if table.seal_key == table.key:
        return dict(stored_crcs(db, table.name, numbers))
    names = columns_of(table, db, db) if table.seal_key == "" else (table.key, table.seal_key)
    found = db.execute(
        f"SELECT {table.key}, {', '.join(names)} FROM {table.name} WHERE {table.key} IN ({_marks(numbers)})", numbers
    )
    rows: dict[Any, set[tuple[Any, ...]]] = defaultdict(set)
    for number, *row in found.fetchall():
        rows[number].add(tuple(row))
    return dict(rows)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
