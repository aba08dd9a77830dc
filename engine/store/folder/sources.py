"""The local paths that archived cases came from, in a file of their own. Knows no archive tables.

Paths often contain names, so they are kept only on request and stay out of archive.db. Delete sources.db to remove
them.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from engine.store.folder.local_database import LocalDatabase

FILE = "sources.db"


class SourceLinks:
    """The source path of each case, in a database readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._database = LocalDatabase(folder / FILE)
        with self._database.write() as db:
            db.execute("CREATE TABLE IF NOT EXISTS sources (case_id INTEGER PRIMARY KEY, path TEXT NOT NULL)")

    def remember(self, case_id: int, path: str) -> None:
        """Store or replace the path of a case; as bytes if it is not UTF-8, as names on old media may be."""
        stored = path if _is_utf8(path) else os.fsencode(path)
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO sources (case_id, path) VALUES (?, ?)", [case_id, stored])

    def path(self, case_id: int) -> str | None:
        """The source path of a case, if it was kept."""
        rows = self._database.read("SELECT path FROM sources WHERE case_id = ?", [case_id])
        return os.fsdecode(rows[0][0]) if rows else None

    def forget(self, case_ids: Sequence[int]) -> None:
        """Delete the paths of these cases, also from SQLite's own files."""
        with self._database.write() as db:
            for case_id in case_ids:
                db.execute("DELETE FROM sources WHERE case_id = ?", [case_id])
        self._database.rewrite()
        self._database.empty_log()

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
