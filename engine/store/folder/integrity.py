"""Whether the database of an archive contradicts itself. Repairs nothing."""

import sqlite3
from collections.abc import Iterator

from engine.errors import UserError
from engine.store.folder.local_database import LocalDatabase
from engine.store.safety.checksums import broken_seals
from engine.store.safety.opening import schema_problems
from engine.store.safety.removal import unfinished
from engine.text.words import counted


def problems(database: LocalDatabase, deep: bool = False) -> list[str]:
    """What is wrong, one phrase each; empty when the database is intact.

    Args:
        database: of the archive.
        deep: compare every row with its checksum too, which reads the whole database.
    """
    found: list[str] = []
    try:
        found.extend(_problems(database, deep))
    except sqlite3.OperationalError as error:  # a table or column that our SQL names is not there
        found.append(f"its tables are not those of an archive ({error})")
    if database.read_only:  # the full-text index checks itself by a command that counts as a change
        return found
    try:
        with database.write() as db:
            db.execute("INSERT INTO reports_fts (reports_fts, rank) VALUES ('integrity-check', 1)")
    except UserError:
        found.append("the full-text index does not match the reports")
    return found


def _problems(database: LocalDatabase, deep: bool) -> Iterator[str]:
    yield from (row[0] for row in database.read("PRAGMA integrity_check") if row[0] != "ok")
    yield from (f"a row of {row[0]} refers to a missing row" for row in database.read("PRAGMA foreign_key_check"))
    missing = database.read(
        "SELECT (SELECT count(*) FROM images) + (SELECT count(*) FROM reports) - (SELECT count(*) FROM embeddings)"
    )[0][0]
    if missing:
        yield f"{counted(missing, 'embedding')} {'is' if missing == 1 else 'are'} missing"
    if unfinished(database):
        yield "its files may hold traces of deleted cases; close other programs and open it again"
    if deep:
        with database.reading() as db:
            yield from [*schema_problems(db), *broken_seals(db)]
        highest = "(SELECT max(id) FROM checksums WHERE name = sqlite_sequence.name)"
        reused = f"SELECT name FROM sqlite_sequence WHERE seq < {highest}"
        yield from (f"ids of {row[0]} would be used twice" for row in database.read(reused))
