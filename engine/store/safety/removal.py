"""Deletes cases with everything that was derived of them: no file of the archive holds a trace. Knows no models.

Deleted rows are overwritten with zeros (`secure_delete`). The full-text index keeps the words of deleted rows until it
is merged into one piece, and the write-ahead log keeps whole pages until it is emptied. What was deleted before Kindred
overwrote rows is removed by rewriting the file, once. The derived files are written anew. Copies elsewhere (backups,
the file system's own) are out of reach.

The rows go first, in one transaction, which notes the cases as UNFINISHED until the rest is done. A full disk or a kill
between the two leaves the note, and opening the archive, or the next deletion, does the rest.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from engine.errors import UserError
from engine.store.database import Database
from engine.store.folder.local_database import LocalDatabase
from engine.store.folder.sources import FILE as SOURCES
from engine.store.folder.sources import SourceLinks
from engine.store.safety.checksums import WHOLE, seal
from engine.store.shared_sql import Connection, insert, now, put, read_many

REWRITTEN = "rewritten"
"""Setting of an archive whose deleted rows were all overwritten, or whose file was rewritten since they are."""
UNFINISHED = "deleted, traces may be left"
"""Setting with the ids of deleted cases of which files may hold traces."""

REPLACED = "replaced, words may be left"
"""Setting of an archive of which the full-text index may hold words of reports that were replaced."""


def delete_cases(
    database: Database, case_ids: Sequence[int], also: Callable[[Connection], object] = lambda db: None
) -> None:
    """Delete cases in one transaction, with what `also` does.

    Raises:
        UserError: there is no such case, and nothing was deleted.
    """
    known = {row[0] for row in read_many(database.read, "SELECT id FROM cases WHERE id IN ({})", case_ids)}
    for case_id in case_ids:
        if case_id not in known:
            raise UserError(f"The archive has no case {case_id}.")
    with database.write(flushed=True) as db:
        for case_id in case_ids:
            db.execute("DELETE FROM reports WHERE case_id = ?", [case_id])
            db.execute("DELETE FROM cases WHERE id = ?", [case_id])
            seal(db, "audit", insert(db, "audit", at=now(), action="case deleted", case_id=case_id, detail=""))
        also(db)


def forget_in_file(database: LocalDatabase, case_ids: Sequence[int], db: Connection) -> None:
    """Remove the words of deleted cases from the full-text index, and note the cases as unfinished."""
    db.execute("INSERT INTO reports_fts (reports_fts) VALUES ('optimize')")
    _set(db, UNFINISHED, _listed({*unfinished(database), *case_ids}))


def unfinished(database: LocalDatabase) -> list[int]:
    """Ids of deleted cases of which files may hold traces."""
    rows = database.read("SELECT value FROM settings WHERE name = ?", [UNFINISHED])
    return [int(one) for one in rows[0][0].split() if one.isdecimal()] if rows else []


def finish(database: LocalDatabase, case_ids: Sequence[int]) -> None:
    """Note that no traces of these cases are left."""
    with database.write(flushed=True) as db:
        left = set(unfinished(database)) - set(case_ids)
        if left:
            _set(db, UNFINISHED, _listed(left))
        else:
            db.execute("DELETE FROM settings WHERE name = ?", [UNFINISHED])
            seal(db, "settings", WHOLE)


def delete_report(db: Connection, case_id: int, where: str) -> None:
    """Delete the report of a case, if it has one, and note that, inside a transaction that the caller has open.

    Raises:
        UserError: it is on a server (`where`), and someone else signed it.
    """
    if db.execute("DELETE FROM reports WHERE case_id = ? RETURNING id", [case_id]).fetchall():
        _set(db, REPLACED, now())
    elif db.execute("SELECT 1 FROM reports WHERE case_id = ?", [case_id]).fetchone():  # the server's rule leaves it
        raise UserError(
            f"Someone else signed the report of case {case_id} in {where}; ask them, or an administrator of the "
            "archive, to replace it.",
            where,
        )


def forget_words(database: LocalDatabase) -> None:
    """Remove the words of replaced reports from the full-text index, which keeps them until it is merged."""
    if not database.read("SELECT 1 FROM settings WHERE name = ?", [REPLACED]):
        return
    with database.write(flushed=True) as db:
        db.execute("INSERT INTO reports_fts (reports_fts) VALUES ('optimize')")
        db.execute("DELETE FROM settings WHERE name = ?", [REPLACED])
        seal(db, "settings", WHOLE)
    database.empty_log()


def rewrite_once(database: LocalDatabase) -> None:
    """Rewrite the file of an archive from before deleted rows were overwritten. UserError as of `rewrite`."""
    if database.read("SELECT 1 FROM settings WHERE name = ?", [REWRITTEN]):
        return
    database.rewrite()
    with database.write(flushed=True) as db:
        note_rewritten(db)


def note_rewritten(db: Connection) -> None:
    """Note, inside a transaction that the caller has open, that no deleted row is left in the file."""
    _set(db, REWRITTEN, now())


def _listed(case_ids: Collection[int]) -> str:
    return " ".join(map(str, sorted(case_ids)))


def _set(db: Connection, name: str, value: str) -> None:
    put(db, "settings", ("name",), name=name, value=value)
    seal(db, "settings", WHOLE)


def forget_sources(folder: Path, case_ids: Sequence[int]) -> None:
    """Delete the local paths of cases, if they were kept."""
    if not (folder / SOURCES).exists():
        return
    links = SourceLinks(folder)
    try:
        links.forget(case_ids)
    finally:
        links.close()


def empty_log(database: LocalDatabase) -> None:
    """Empty the write-ahead log.

    Raises:
        UserError: another process reads it.
    """
    if not database.empty_log():
        raise UserError(f"Another program has {database.path.parent} open; close it.", database.path.parent)
