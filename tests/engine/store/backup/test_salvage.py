"""What can be read of a damaged archive is read into a new one, which is not changed."""

import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.store.backup.salvage import BY_ID, salvage
from engine.store.case import NewCase

Make = Callable[..., NewCase]
CASES = 40
FILLER = "The lungs are clear. " * 20


@pytest.fixture
def folder(archive: Archive, make_case: Make) -> Path:
    """A closed archive of many pages."""
    for n in range(CASES):
        archive.add_case(make_case(str(n), f"Report {n}: no effusion. {FILLER}", seeds=[n], description=f"case {n}"))
    archive.close()
    return archive.folder


def zeroed(folder: Path, page: int) -> None:
    """Overwrite a page of the database with zeros."""
    data = bytearray((folder / "archive.db").read_bytes())
    data[page * 4096 : (page + 1) * 4096] = bytes(4096)
    (folder / "archive.db").write_bytes(data)


def page_of(folder: Path, text: bytes) -> int:
    return (folder / "archive.db").read_bytes().index(text) // 4096


def test_of_an_archive_with_a_damaged_page_the_other_rows_are_read_and_searched(folder: Path) -> None:
    zeroed(folder, page_of(folder, b"Report 20: no effusion."))
    before = (folder / "archive.db").read_bytes()
    target, found = salvage(folder)
    assert (folder / "archive.db").read_bytes() == before
    assert found.cases == CASES
    assert found.lost >= 1
    with Archive.open(target) as archive:
        assert archive.read_only
        assert archive.salvaged == found
        assert archive.problems(deep=True) == []
        texts = [case.report.text for case in map(archive.case, range(1, CASES + 1)) if case.report is not None]
        assert len(texts) < CASES
        assert len(texts) > CASES // 4
        assert len(archive.index.rows().ids) > CASES
        with pytest.raises(UserError, match="read-only"):
            archive.delete([1])


def test_a_row_that_is_not_as_it_was_written_is_left_out(folder: Path) -> None:
    with sqlite3.connect(folder / "archive.db") as db:
        db.execute("UPDATE reports SET text = 'Large effusion.' WHERE id = 3")
    db.close()
    target, found = salvage(folder)
    assert found.lost == 2  # with its embedding
    with Archive.open(target) as archive:
        assert archive.case(3).report is None
        assert archive.case(4).report is not None


def test_without_its_key_or_its_settings_an_archive_can_still_be_read(folder: Path, encoder) -> None:
    (folder / "identity.key").unlink()
    with sqlite3.connect(folder / "archive.db") as db:
        db.execute("UPDATE settings SET value = 'x'")
    db.close()
    target, _ = salvage(folder)
    with Archive.open(target) as archive:
        assert archive.stats()["cases"] == CASES
        assert archive.bundle_id == encoder.id


def test_it_is_read_again_only_after_a_change(folder: Path) -> None:
    zeroed(folder, page_of(folder, b"Report 20: no effusion."))
    target, _ = salvage(folder)
    made = (target / "archive.db").stat().st_ino
    assert salvage(folder)[0] == target
    assert (target / "archive.db").stat().st_ino == made
    zeroed(folder, page_of(folder, b"Report 39: no effusion."))
    salvage(folder)
    assert (target / "archive.db").stat().st_ino != made


def test_it_can_be_cancelled_among_ids_without_rows(folder: Path) -> None:
    with sqlite3.connect(folder / "archive.db") as db:
        db.execute("UPDATE sqlite_sequence SET seq = 5000")
        rows = sum(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in BY_ID)
    db.close()
    asked = count()
    with pytest.raises(Cancelled):
        salvage(folder, cancelled=lambda: next(asked) > rows + 1000)


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(9000)])
def test_of_what_is_no_database_nothing_is_left_and_nothing_is_written(folder: Path, content: bytes) -> None:
    (folder / "archive.db").write_bytes(content)
    target = folder.parent / "salvaged"
    with pytest.raises(UserError, match="Nothing can be read"):
        salvage(folder, target)
    assert not target.exists()
    assert list(folder.parent.glob("*.new")) == []
