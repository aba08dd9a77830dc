"""Where archived cases came from on this machine, in an owner-only file of its own. Knows no archive tables.

Paths often carry names, so they stay out of archive.db; delete sources.db to forget them. Kept only on request.
"""

from pathlib import Path

from engine.store.database import LocalDatabase

FILE = "sources.db"


class SourceLinks:
    """Case id -> path of the source."""

    def __init__(self, folder: Path) -> None:
        self._database = LocalDatabase(folder / FILE)
        with self._database.write() as db:
            db.execute("CREATE TABLE IF NOT EXISTS sources (case_id INTEGER PRIMARY KEY, path TEXT NOT NULL)")

    def remember(self, case_id: int, path: str) -> None:
        """Store or replace the path of a case."""
        with self._database.write() as db:
            db.execute("INSERT OR REPLACE INTO sources (case_id, path) VALUES (?, ?)", [case_id, path])

    def path(self, case_id: int) -> str | None:
        """Where the case came from, if that was kept."""
        rows = self._database.read("SELECT path FROM sources WHERE case_id = ?", [case_id])
        return str(rows[0][0]) if rows else None

    def close(self) -> None:
        """Close the file."""
        self._database.close()
