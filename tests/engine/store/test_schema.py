"""An archive of an older schema becomes a current one when it is opened, and keeps what it holds."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from engine.archive import Archive
from engine.store import schema
from engine.store.case import NewCase


def forget(folder: Path, *tables: str) -> None:
    """Leave an archive as the versions before these tables left it."""
    with sqlite3.connect(folder / "archive.db") as db:
        for table in ("cases", "images", "reports", "embeddings"):
            db.execute(f"DROP TRIGGER {table}_checksum")
        for table in (*tables, "checksums", "merged_keys"):
            db.execute(f"DROP TABLE {table}")
            db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [f"create_{table}"])
        if "facts" in tables:  # its index is gone with it
            db.execute("DELETE FROM _sqlite_migrations WHERE name = 'index_facts_by_value'")
        db.execute("ALTER TABLE reports DROP COLUMN machine_share")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'add_machine_share'")
    db.close()


def test_an_archive_of_the_first_schema_is_upgraded_on_opening(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase]
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        case_id = archive.add_case(make_case("one", "No pneumothorax.", [1]), encoder.id)
    forget(folder, "new_embeddings", "facts")
    with Archive.open(folder) as archive:
        report = archive.case(case_id).report
        assert report is not None
        assert (report.text, report.machine_share) == ("No pneumothorax.", 0.0)
        assert archive.stats()["schema"] == len(schema.names())
    with sqlite3.connect(folder / "archive.db") as db:
        assert [row[0] for row in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")] == schema.names()
    db.close()


def test_cases_of_an_older_schema_get_facts_from_what_is_stored_of_header_and_report(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase]
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        dicom = make_case("1", "", [1], modality="DX", body_part="HIP", description="HIP LT", source="DICOM")
        caption = make_case("2", "Axial CT of the abdomen.", [2])
        picture = make_case("3", "", [3], description="sagittal MRI, knee", source="picture archive")
        cases = [archive.add_case(case, encoder.id) for case in (dicom, caption, picture)]
    forget(folder, "facts")
    with Archive.open(folder) as archive:
        found = [{kind: (one.value, one.source) for kind, one in archive.case(case).facts.items()} for case in cases]
    assert found == [
        {"modality": ("CR", "header"), "region": ("limb", "header"), "laterality": ("left", "header")},
        {"modality": ("CT", "words"), "region": ("abdomen", "words"), "view": ("axial", "words")},
        {"modality": ("MR", "words"), "region": ("limb", "words"), "view": ("sagittal", "words")},
    ]
