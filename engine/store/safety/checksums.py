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
from collections.abc import Callable, Collection, Iterator
from typing import Any

from sqlite_utils import Database

from engine.progress import Progress, ignore

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
REPORT_EVERY = 100
"""Rows between two reports of progress."""
SHOWN = 5
"""Keys that a phrase names."""


class Text(bytes):
    """The bytes of a text, which need not be UTF-8 once they are damaged."""


Layout = list[tuple[str, Any]]
"""Name and default of each column of a table."""
_LAYOUTS: dict[tuple[str, tuple[str, ...]], Layout] = {}
"""By table and columns, which a migration may add to."""


def seal(db: Database, table: str, key: int | str) -> None:
    """Store the checksum of what a table has under a key, inside a transaction that the caller has open."""
    crc = _crc(db, table, key)
    db.execute("INSERT OR REPLACE INTO checksums (name, id, crc) VALUES (?, ?, ?)", [table, key, crc])


def seal_all(db: Database, table: str, progress: Progress = ignore) -> None:
    """Store the checksums of all rows of a table, inside a transaction that the caller has open."""
    keys = db.execute(f"SELECT DISTINCT {KEYS[table]} FROM {table}").fetchall()
    for number, (key,) in enumerate(keys):
        if number % REPORT_EVERY == 0:
            progress(number, len(keys), f"Checksums of {table}")
        seal(db, table, key)


def is_sealed(db: Database, table: str, key: int | str) -> bool:
    """Whether what a table has under a key is as it was sealed. Raises sqlite3.DatabaseError when it is unreadable."""
    return bool(_stored(db, table, key) == _crc(db, table, key))


def broken_seals(db: Database) -> list[str]:
    """What is not as it was written, one or two phrases a table."""
    return [phrase for table in KEYS for phrase in _broken(db, table)]


def _broken(db: Database, table: str) -> Iterator[str]:
    try:
        present = [row[0] for row in db.execute(f"SELECT DISTINCT {KEYS[table]} FROM {table}").fetchall()]
        known = [row[0] for row in db.execute("SELECT id FROM checksums WHERE name = ?", [table]).fetchall()]
        if table == "facts":  # a case may have had some and have none now
            present = list({*present, *known})
        wrong = [key for key in present if _stored(db, table, key) != _crc(db, table, key)]
    except sqlite3.DatabaseError as error:
        yield f"the table {table} cannot be read ({error})"
        return
    if wrong:
        yield f"rows of {table} are not as they were written: {_listed(wrong)}"
    if lost := set(known) - set(present):
        yield f"rows of {table} are missing: {_listed(lost)}"


def _listed(keys: Collection[Any]) -> str:
    more = len(keys) - SHOWN
    return ", ".join(map(str, sorted(keys, key=str)[:SHOWN])) + (f" and {more} more" if more > 0 else "")


def _stored(db: Database, table: str, key: int | str) -> Any:
    """The checksum; that of no rows where none is stored."""
    row = db.execute("SELECT crc FROM checksums WHERE name = ? AND id = ?", [table, key]).fetchone()
    return row[0] if row else 0


def _layout(db: Database, table: str) -> Layout:
    make: dict[str, Callable[[str], Any]] = {
        "REAL": float,
        "INTEGER": int,
        "TEXT": lambda text: Text(text.strip("'").encode()),
    }
    columns = db.execute(f"PRAGMA table_info({table})").fetchall()
    return [(name, None if default is None else make[kind](default)) for _, name, kind, _, default, _ in columns]


def _crc(db: Database, table: str, key: int | str) -> int:
    before, db.conn.text_factory = db.conn.text_factory, Text  # a connection is used by one thread at a time
    try:
        found = db.execute(f"SELECT * FROM {table} WHERE {KEYS[table]} = ?", [key])
        rows = found.fetchall()
    finally:
        db.conn.text_factory = before
    columns = tuple(column[0] for column in found.description)
    layout = _LAYOUTS.get((table, columns))
    if layout is None:
        layout = _LAYOUTS[table, columns] = _layout(db, table)
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
