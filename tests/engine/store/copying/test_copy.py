"""Copying an archive: same rows, ids and checksums in either store, whatever stops it on the way."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.store.address import Address
from engine.store.case import NewReport
from engine.store.copying.copy import OF_STORE
from engine.store.copying.tables import SEQUENCED, TABLES, columns_of
from engine.store.filters import ANY
from tests.engine.stores import by_hand
from tests.paths import ROOT

Make = Callable[..., Any]
KILLED = """
import os, sys
from engine.archive import Archive

calls = int(sys.argv[3])

def count(frame, event, argument):
    global calls
    calls -= 1
    if calls < 0:
        os._exit(9)

with Archive.open(sys.argv[1]) as archive:
    sys.setprofile(count)
    archive.copy_to(sys.argv[2])
    sys.setprofile(None)
"""


@pytest.fixture(params=["folder", "server"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | Address]:
    """Where there is nothing yet."""
    if request.param == "folder":
        yield tmp_path / "copy"
        return
    server = request.getfixturevalue("server")
    made = server.empty_database()
    yield made
    server.drop(made)


@pytest.fixture
def full(archive: Archive, make_case: Make) -> Archive:
    """An archive with something in every table, and ids that were used and are gone."""
    joins = (("study", "1.2.3"), ("accession", "A 1"))
    for n in range(1, 8):
        facts = {"patient": f"P{n % 3}", "date": "20200101", "sex": "F", "age": 40 + n, "modality": "CR"}
        archive.add_case(
            make_case(f"k{n}", f"Chest radiograph, small effusion {n}.", seeds=(n, n + 20), joins=joins, **facts)
        )
    archive.merge([archive.add_case(make_case("m1", "Same.", seeds=(50,))), archive.add_case(make_case("m2", "Same."))])
    archive.recognize(1, replace(make_case("k1"), identifiers=("Miller", "Jones")), names=True)
    archive.imports.end(archive.imports.begin("DICOM"), 7, 0, 1)
    archive.text_checks.record([1, 2, 3], [], {}, "word-encoder")
    archive.delete([5, 7])
    archive.delete([archive.add_case(make_case("last", "Gone.", seeds=(60,)))])
    return archive


def content(place: Path | Address | str) -> dict[str, list[Any]]:
    """All rows by table, with the checksums, as values of both stores."""
    with by_hand(Path(place) if isinstance(place, str) else place) as db:
        found = {
            table.name: db.execute(
                f"SELECT {', '.join(columns_of(table, db, None))} FROM {table.name} ORDER BY 1"  # type: ignore[arg-type]
            ).fetchall()
            for table in TABLES
        }
        found["settings"] = [row for row in db.execute("SELECT name, value FROM settings") if row[0] not in OF_STORE]
        found["checksums"] = [
            (name, str(key), crc)
            for name, key, crc in db.execute("SELECT name, id, crc FROM checksums")
            if name != "settings"
        ]
    return {name: sorted(([bytes(v) if isinstance(v, bytes) else v for v in row] for row in rows), key=repr)
            for name, rows in found.items()}  # fmt: skip


def test_no_table_is_forgotten(archive: Archive) -> None:
    left_out = {"checksums", "settings", "new_embeddings", "new_facts"}  # with the rows; last; can be repeated
    of_server = {"derived", "identity", "revision", "migrations", "work", "jobs", "fact_vectors"}
    with by_hand(archive.place) as db:
        if isinstance(archive.place, Address):
            names = {row[0] for row in db.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = 'kindred'")}
        else:
            names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    names = {name for name in names if "reports_fts" not in name and not name.startswith(("sqlite_", "_sqlite"))}
    assert names - left_out - of_server == {table.name for table in TABLES}


def opened(place: Path | Address) -> str:
    try:
        with Archive.open(place) as found:
            return "an archive" if found.case_ids(limit=1) else "an empty archive"
    except UserError as error:
        return "an unfinished copy" if "unfinished copy" in str(error) else str(error)


def added_id(archive: Archive, make_case: Make) -> int:
    return archive.add_case(make_case("new", "Added to it.", seeds=(70,)), "word-encoder")


def test_a_copy_has_the_same_rows_ids_and_checksums(full: Archive, target: Path | Address) -> None:
    copied = full.copy_to(target)
    before = content(full.place)
    assert content(target) == before
    assert [table.name for table in TABLES if not before[table.name]] == []
    assert copied.cases == len(before["cases"]) == 6
    with Archive.open(target) as copy:
        assert copy.problems(deep=True) == copy.audit_problems() == []
        assert copy.find_case("m2") == full.find_case("m2")
        assert [hit[0] for hit in copy.full_text.find("effusion", 9, ANY)] == [
            hit[0] for hit in full.full_text.find("effusion", 9, ANY)
        ]


def test_ids_go_on_after_the_highest_that_was_ever_used(full: Archive, target: Path | Address, make_case: Make) -> None:
    full.copy_to(target)
    own = added_id(full, make_case)
    with Archive.open(target) as copy:
        assert added_id(copy, make_case) == own
    before, after = content(full.place), content(target)
    assert [row[0] for row in before["audit"]] == [row[0] for row in after["audit"]]
    assert all([row[0] for row in before[name]] == [row[0] for row in after[name]] for name in SEQUENCED)


def test_a_stopped_copy_does_not_open_and_goes_on_with_what_has_changed(
    full: Archive, target: Path | Address, make_case: Make, encoder: Any
) -> None:
    answers = iter([False] * 18)
    with pytest.raises(Cancelled):
        full.copy_to(target, cancelled=lambda: next(answers, True))
    with pytest.raises(UserError, match="unfinished copy"):
        Archive.open(target)
    full.delete([2])
    full.merge(
        [3, full.add_case(make_case("k3b", "Chest radiograph, small effusion 3.", patient="P0", sex="F", age=43))]
    )
    full.set_report(4, NewReport("Another text.", encoder.embed_texts(["Another text."])[0]), "test")
    added_id(full, make_case)
    copied = full.copy_to(target)
    assert content(target) == content(full.place)
    assert copied.deleted > 0
    with Archive.open(target) as copy:
        assert copy.problems(deep=True) == []


def test_a_change_during_a_copy_is_not_in_it(full: Archive, target: Path | Address, make_case: Make) -> None:
    before = content(full.place)
    with Archive.open(full.place) as other:

        def add_once(done: int, total: int, what: str) -> None:
            if other.find_case("new") is None:
                added_id(other, make_case)

        full.copy_to(target, progress=add_once)
    assert content(target) == before
    assert full.find_case("new") is not None


def test_nothing_is_copied_over_another_archive_or_a_complete_copy(full: Archive, target: Path | Address) -> None:
    with Archive.create(target, "another"):
        pass
    with pytest.raises(UserError, match="is another archive"):
        full.copy_to(target)


def test_a_complete_copy_is_not_written_to_again(full: Archive, target: Path | Address) -> None:
    full.copy_to(target)
    with pytest.raises(UserError, match="complete copy"):
        full.copy_to(target)
    with pytest.raises(UserError, match="this archive"):
        full.copy_to(full.place)


def test_damage_in_the_archive_is_found_in_the_copy_which_stays_unfinished(
    full: Archive, target: Path | Address
) -> None:
    with by_hand(full.place) as db:
        db.execute("UPDATE images SET height = height + 1 WHERE id = 3")
    with pytest.raises(UserError, match="images are not as they were written: 3"):
        full.copy_to(target)
    with pytest.raises(UserError, match="unfinished copy"):
        Archive.open(target)


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_copy_is_completed(full: Archive, target: Path | Address, seed: int) -> None:
    generator = random.Random(seed)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for most in (60_000, 20_000):
        calls = generator.randrange(100, most)
        command = [sys.executable, "-c", KILLED, str(full.place), str(target), str(calls)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 9, done.stderr
        if Archive.exists(target):
            assert opened(target) in ("an empty archive", "an unfinished copy")
    full.copy_to(target)
    assert content(target) == content(full.place)
