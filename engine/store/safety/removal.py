"""Deletes cases with everything that was derived of them: no file of the archive holds a trace. Knows no models.

Deleted rows are overwritten (`secure_delete`). The full-text index keeps the words of deleted rows until it is merged
into one piece, and the write-ahead log keeps whole pages until it is emptied. What was deleted before Kindred overwrote
rows is removed by rewriting the file, once. Copies elsewhere (backups, the file system's own) are out of reach.
"""

from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from engine.store.database import LocalDatabase, insert, now, read_many
from engine.store.safety.checksums import WHOLE, seal
from engine.store.sources import FILE as SOURCES
from engine.store.sources import SourceLinks

REWRITTEN = "rewritten"
"""Setting of an archive whose file has been rewritten since rows are overwritten."""


def delete_cases(database: LocalDatabase, case_ids: Sequence[int]) -> None:
    """Delete cases in one transaction, and their words from the full-text index.

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
        db.execute("INSERT INTO reports_fts (reports_fts) VALUES ('optimize')")
        rewritten = db.execute("SELECT 1 FROM settings WHERE name = ?", [REWRITTEN]).fetchone()
    if rewritten is None:
        database.rewrite()
        with database.write(flushed=True) as db:
            db.execute("INSERT OR IGNORE INTO settings (name, value) VALUES (?, ?)", [REWRITTEN, now()])
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
        UserError: another process reads it; SQLite removes it when the last one closes the archive.
    """
    if not database.empty_log():
        raise UserError(
            f"The cases were deleted, but traces stay in {database.path.name}-wal while another program has "
            f"{database.path.parent} open; close that program.",
            database.path.parent,
        )
