"""Checksums of the rows of an archive, in a table of their own, so that damage is found that SQLite cannot see.

SQLite checks how its pages hang together, not what is in them: a flipped byte in a picture, a vector or a report passes
every check of its own. CRC-32 (zlib, over 1 GB/s) finds every error within 32 bits, thus every flipped byte, for
certain, where a cryptographic hash would be slower and no better: who can write the file can write its checksums too.

A column that has its default is left out, so that a migration that adds a column keeps the checksums. What changes a
row seals it again; deleted rows take their checksums with them (schema.py). Knows no meaning of a row.
"""

import sqlite3
import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol, cast, runtime_checkable

from sqlite_utils import Database as SqliteDatabase

from engine.progress import Progress, ignore
from engine.store.shared_sql import Connection, StoredVector, execute_many

KEYS = {
    **dict.fromkeys(("cases", "images", "reports", "embeddings", "audit"), "id"),
    "merged_keys": "key",
    "join_keys": "case_id",
    "name_keys": "case_id",
    "facts": "case_id",
    "settings": "'all'",
}
"""What is sealed together, by table: a row, all facts or join keys of a case, or all settings."""
WHOLE = "all"
"""The key of the settings."""
TOGETHER = 200
"""Keys in one statement, since each is a way to a server and back; of images, some 20 MB."""
PUT = """INSERT INTO checksums (name, id, crc) VALUES (?, ?, ?)
    ON CONFLICT (name, id) DO UPDATE SET crc = excluded.crc"""
SHOWN = 5
"""Keys that a phrase names."""


class Text(bytes):
    """The bytes of a text, which need not be UTF-8 once they are damaged."""


Layout = list[tuple[str, Any]]
"""Name and default of each column of a table."""
_LAYOUTS: dict[tuple[str, tuple[str, ...]], Layout] = {}
"""By table and columns, which a migration may add to."""


@runtime_checkable
class KnowsLayout(Protocol):
    """A connection to a server, which has columns of its own besides, and keeps every key as a text."""

    def layout(self, table: str) -> Layout:
        """The columns of a table that SQLite has too, in its order, so that both stores have the same checksums."""


def seal(db: Connection, table: str, key: int | str) -> None:
    """Store the checksum of what a table has under a key, inside a transaction that the caller has open."""
    seal_many(db, table, [key])


def seal_many(db: Connection, table: str, keys: Sequence[int | str], progress: Progress = ignore) -> None:
    """Store the checksums of what a table has under some keys, inside a transaction that the caller has open."""
    for start in range(0, len(keys), TOGETHER):
        progress(start, len(keys), f"Checksums of {table}")
        some = keys[start : start + TOGETHER]
        found = _crcs(db, table, some)
        execute_many(db, PUT, [[table, stored_key(db, key), found.get(key, 0)] for key in some])


def seal_all(db: Connection, table: str, progress: Progress = ignore) -> None:
    """Store the checksums of all rows of a table, inside a transaction that the caller has open."""
    keys = [row[0] for row in db.execute(f"SELECT DISTINCT {KEYS[table]} FROM {table}").fetchall()]
    seal_many(db, table, keys, progress)


def is_sealed(db: Connection, table: str, key: int | str) -> bool:
    """Whether what a table has under a key is as it was sealed. Raises sqlite3.DatabaseError when it is unreadable."""
    return stored_crcs(db, table, [key]).get(key, 0) == _crcs(db, table, [key]).get(key, 0)


def broken_seals(db: Connection) -> list[str]:
    """What is not as it was written, one or two phrases a table."""
    return [phrase for table in KEYS for phrase in _broken(db, table)]


def _broken(db: Connection, table: str) -> Iterator[str]:
    try:
        present = [row[0] for row in db.execute(f"SELECT DISTINCT {KEYS[table]} FROM {table}").fetchall()]
        names = {stored_key(db, key) for key in present}
        sums = "SELECT id, crc FROM checksums WHERE name = ?"
        known = {key for key, crc in db.execute(sums, [table]).fetchall() if crc or table != "facts"}
        wrong = []  # a case may have had facts and have none now
        for start in range(0, len(present), TOGETHER):
            keys = present[start : start + TOGETHER]
            stored, found = stored_crcs(db, table, keys), _crcs(db, table, keys)
            wrong += [key for key in keys if stored.get(key, 0) != found.get(key, 0)]
    except sqlite3.DatabaseError as error:
        yield f"the table {table} cannot be read ({error})"
        return
    if wrong:
        yield f"rows of {table} are not as they were written: {_listed(wrong)}"
    if lost := known - names:
        yield f"rows of {table} are missing: {_listed(lost)}"


def _listed(keys: Collection[Any]) -> str:
    more = len(keys) - SHOWN
    return ", ".join(map(str, sorted(keys, key=str)[:SHOWN])) + (f" and {more} more" if more > 0 else "")


def stored_crcs(db: Connection, table: str, keys: Sequence[int | str]) -> dict[int | str, int]:
    """The checksums that are stored of what a table has under some keys; a key without one is absent."""
    marks = ", ".join("?" * len(keys))
    question = f"SELECT id, crc FROM checksums WHERE name = ? AND id IN ({marks})"
    names = {stored_key(db, key): key for key in keys}
    return {names[name]: crc for name, crc in db.execute(question, [table, *names]).fetchall()}


def stored_key(db: Connection, key: int | str) -> int | str:
    """A key as the table of checksums of this store has it."""
    return str(key) if isinstance(db, KnowsLayout) else key


def layout_of(db: Connection, table: str) -> Layout:
    """Name and default of each column of a table of an SQLite database."""
    make: dict[str, Callable[[str], Any]] = {
        "REAL": float,
        "INTEGER": int,
        "TEXT": lambda text: Text(text.strip("'").encode()),
    }
    columns = db.execute(f"PRAGMA table_info({table})").fetchall()
    return [(name, None if default is None else make[kind](default)) for _, name, kind, _, default, _ in columns]


def _in_file(db: SqliteDatabase, table: str, keys: Sequence[int | str]) -> tuple[Layout, list[Any]]:
    before, db.conn.text_factory = db.conn.text_factory, Text  # a connection is used by one thread at a time
    marks = ", ".join("?" * len(keys))
    try:
        found = db.execute(f"SELECT {KEYS[table]}, * FROM {table} WHERE {KEYS[table]} IN ({marks})", keys)
        rows = found.fetchall()
    finally:
        db.conn.text_factory = before
    columns = tuple(column[0] for column in found.description)[1:]
    layout = _LAYOUTS.get((table, columns))
    if layout is None:
        layout = _LAYOUTS[table, columns] = layout_of(db, table)
    return layout, rows


def _on_server(db: KnowsLayout, table: str, keys: Sequence[int | str]) -> tuple[Layout, list[Any]]:
    layout, marks = db.layout(table), ", ".join("?" * len(keys))
    names = ", ".join(name for name, _ in layout)
    question = f"SELECT {KEYS[table]}, {names} FROM {table} WHERE {KEYS[table]} IN ({marks})"
    rows = cast(Connection, db).execute(question, keys)
    return layout, [tuple(map(_as_in_file, row)) for row in rows]


def _as_in_file(value: Any) -> Any:
    if isinstance(value, str):
        return Text(value.encode())
    return bytes(value) if isinstance(value, StoredVector) else value


def _crcs(db: Connection, table: str, keys: Sequence[int | str]) -> dict[int | str, int]:
    """The checksums of what a table has under some keys now; a key without rows is absent."""
    if isinstance(db, KnowsLayout):
        layout, rows = _on_server(db, table, keys)
    else:
        layout, rows = _in_file(cast(SqliteDatabase, db), table, keys)
    together: dict[int | str, list[Any]] = defaultdict(list)
    for key, *row in rows:
        together[key.decode() if isinstance(key, Text) else key].append(tuple(row))
    return {key: _crc(layout, rows) for key, rows in together.items()}


def _crc(layout: Layout, rows: list[Any]) -> int:
    crc = 0
    for row in sorted(rows, key=repr) if len(rows) > 1 else rows:
        for (name, default), value in zip(layout, row, strict=True):
            if value is not None and (type(value), value) != (type(default), default):
                crc = zlib.crc32(_bytes(value), zlib.crc32(f"{name} {type(value).__name__} ".encode(), crc))
    return crc


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return struct.pack("<q", len(value)) + value
    return struct.pack("<d", value) if isinstance(value, float) else str(value).encode()
