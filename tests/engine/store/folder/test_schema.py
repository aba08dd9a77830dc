"""An archive of an older schema becomes a current one when it is opened, and keeps what it holds."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.store.backup.backup import backups_of
from engine.store.backup.restore import restore_archive
from engine.store.backup.source import archive_source
from engine.store.case import NewCase
from engine.store.folder import schema

pytestmark = pytest.mark.folder


def forget(folder: Path, *tables: str) -> None:
    """Leave an archive as the versions before these tables left it."""
    with sqlite3.connect(folder / "archive.db") as db:
        for table in ("cases", "images", "reports", "embeddings"):
            db.execute(f"DROP TRIGGER {table}_checksum")
        for table in ("join_keys", "name_keys"):
            db.execute(f"DROP TRIGGER {table}_checksum")
        for table in (
            *tables,
            "checksums",
            "merged_keys",
            "join_keys",
            "name_keys",
            "new_facts",
            "text_checked",
            "audit_chain",
        ):
            db.execute(f"DROP TABLE {table}")
            db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [f"create_{table}"])
        if "facts" in tables:  # its index is gone with it
            db.execute("DELETE FROM _sqlite_migrations WHERE name = 'index_facts_by_value'")
        db.execute("DROP TABLE audit_head")
        for table, column in (("reports", "machine_share"), ("cases", "study_day")):
            db.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
            db.execute("DELETE FROM _sqlite_migrations WHERE name = ?", [f"add_{column}"])
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


def test_an_archive_is_backed_up_before_it_is_upgraded_and_never_again(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase]
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        archive.add_case(make_case("one", "No pneumothorax.", [1]), encoder.id)
    forget(folder, "new_embeddings", "facts")
    for _ in range(2):
        Archive.open(folder).close()
    (backup,) = backups_of(archive_source(folder))
    assert (backup.reason, backup.rows) == ("before-upgrade", 1)
    with sqlite3.connect(backup.path / "archive.db") as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    db.close()
    assert {"cases", "reports"} <= tables
    assert not {"facts", "checksums"} & tables
    restore_archive(backup, tmp_path / "again")
    with Archive.open(tmp_path / "again") as archive:
        assert archive.stats()["cases"] == 1


def test_a_migration_reports_its_progress_and_can_be_ended_without_a_change(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase], caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        for number in range(3):
            archive.add_case(make_case(f"{number}", "No pneumothorax.", [number]), encoder.id)
    assert caplog.messages == []
    forget(folder, "new_embeddings", "facts")
    seen: list[tuple[int, int, str]] = []

    def report(done: int, total: int, what: str) -> None:
        seen.append((done, total, what))
        if len(seen) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        Archive.open(folder, report)
    assert [what for _, _, what in seen] == ["Backup", "Facts of cases", "Checksums of cases"]
    assert seen[1:] == [(0, 3, "Facts of cases"), (0, 3, "Checksums of cases")]
    assert caplog.messages == ["The archive is being prepared for this version of Kindred. This is done once."]
    with Archive.open(folder) as archive:
        assert archive.problems(deep=True) == []
    with Archive.open(folder):
        assert len(caplog.messages) == 2


def test_an_old_archive_on_a_read_only_disk_is_opened_once_where_it_can_be_written(
    tmp_path: Path, encoder, make_case: Callable[..., NewCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "old"
    with Archive.create(folder, encoder.id) as archive:
        archive.add_case(make_case("one", "No pneumothorax."), encoder.id)
    forget(folder)
    monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: path.parent == folder)
    with pytest.raises(UserError, match="older version of Kindred and is read-only; open it once in a folder"):
        Archive.open(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    Archive.open(copy).close()
    shutil.rmtree(folder)
    copy.rename(folder)
    with Archive.open(folder) as archive:
        assert archive.stats()["cases"] == 1
