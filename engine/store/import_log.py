"""The record of past imports. Knows neither what was imported nor where it lay."""

from engine.store.database import Database
from engine.store.shared_sql import insert, now


class ImportLog:
    """One row per import: kind of source, start, end and counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, source: str) -> int:
        """Record the start of an import from this kind of source and return its id."""
        with self._database.write() as db:
            return insert(db, "imports", started=now(), source=source)

    def end(self, import_id: int, added: int, skipped: int, rejected: int) -> None:
        """Record the end of an import and how many cases it added or completed, skipped and rejected."""
        with self._database.write() as db:
            db.execute(
                "UPDATE imports SET finished = ?, added = ?, skipped = ?, rejected = ? WHERE id = ?",
                [now(), added, skipped, rejected, import_id],
            )
