"""Keyed hashes of the names and numbers in the header of an archived study, by which a later report is cleaned.

No name is kept: a hash of a few bytes says only whether a word that is asked about was in the header, and that only to
who has the key of the archive. Knows no identifiers.
"""

from collections.abc import Callable, Iterable
from typing import Any

from engine.store.identity import NAME_BYTES
from engine.store.safety.checksums import seal
from engine.store.shared_sql import Connection, put


def add_name_keys(db: Connection, case_id: int, keys: Iterable[bytes]) -> None:
    """Remember hashed names of a case, inside a transaction that the caller has open."""
    row = db.execute("SELECT keys FROM name_keys WHERE case_id = ?", [case_id]).fetchone()
    every = {*keys, *_split(row[0] if row else b"")}
    if every:
        stored = b"".join(sorted(every))
        put(db, "name_keys", ("case_id",), case_id=case_id, keys=stored)
        seal(db, "name_keys", case_id)


def move_name_keys(db: Connection, other: int, kept: int) -> None:
    """Give the hashed names of a case that is merged to the one that is kept."""
    row = db.execute("SELECT keys FROM name_keys WHERE case_id = ?", [other]).fetchone()
    add_name_keys(db, kept, _split(row[0] if row else b""))


def name_keys_of(read: Callable[..., list[Any]], case_id: int) -> frozenset[bytes]:
    """The hashed names of a case."""
    rows = read("SELECT keys FROM name_keys WHERE case_id = ?", [case_id])
    return frozenset(_split(rows[0][0] if rows else b""))


def _split(keys: bytes) -> list[bytes]:
    return [keys[at : at + NAME_BYTES] for at in range(0, len(keys), NAME_BYTES)]
