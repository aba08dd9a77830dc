"""Keyed hashes by which a report and a study are known to be one case, whichever is archived first.

Roles, the surest first: "study" (Study Instance UID), "accession" (Accession Number), "visit" (Patient ID, Study Date).
Unlike the key of a case they need not be unique. Knows no identifiers and does not decide what belongs together.
"""

from collections.abc import Callable, Iterable
from typing import Any

from engine.store.safety.checksums import seal
from engine.store.shared_sql import Connection

ROLES = ("study", "accession", "visit")
Join = tuple[str, str]
"""A role and a value, or its keyed hash."""


def add_join_keys(db: Connection, case_id: int, joins: Iterable[Join]) -> None:
    """Remember hashed joins of a case, inside a transaction that the caller has open."""
    for role, key in joins:
        known = "INSERT INTO join_keys (case_id, role, key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        db.execute(known, [case_id, role, key])
    if db.execute("SELECT 1 FROM join_keys WHERE case_id = ?", [case_id]).fetchone():
        seal(db, "join_keys", case_id)


def move_join_keys(db: Connection, other: int, kept: int) -> None:
    """Give the joins of a case that is merged to the one that is kept."""
    rows = db.execute("SELECT role, key FROM join_keys WHERE case_id = ?", [other]).fetchall()
    add_join_keys(db, kept, [(role, key) for role, key in rows])


def joins_of(read: Callable[..., list[Any]], case_id: int) -> frozenset[Join]:
    """The hashed joins of a case."""
    return frozenset((role, key) for role, key in read("SELECT role, key FROM join_keys WHERE case_id = ?", [case_id]))


def cases_joined_by(read: Callable[..., list[Any]], joins: Iterable[Join]) -> list[int]:
    """The cases with any of these hashed joins."""
    found = {
        row[0]
        for role, key in joins
        for row in read("SELECT case_id FROM join_keys WHERE role = ? AND key = ?", [role, key])
    }
    return sorted(found)
