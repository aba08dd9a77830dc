"""An archive of an older schema becomes a current one when it is opened, and keeps what it holds."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from engine.archive import Archive
from engine.store import schema
from engine.store.case import NewCase


def test_an_archive_of_the_first_schema_is_upgraded_on_opening(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase]
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        case_id = archive.add_case(make_case("one", "No pneumothorax.", [1]), encoder.id)
    with sqlite3.connect(folder / "archive.db") as db:  # as the first version left it
        db.execute("DROP TABLE new_embeddings")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'create_new_embeddings'")
    db.close()
    with Archive.open(folder) as archive:
        report = archive.case(case_id).report
        assert report is not None
        assert report.text == "No pneumothorax."
        assert archive.stats()["schema"] == len(schema.names())
    with sqlite3.connect(folder / "archive.db") as db:
        assert [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")] == schema.names()
    db.close()
