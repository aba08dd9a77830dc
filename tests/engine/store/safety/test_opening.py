"""An archive is created once, opened by its own key only, and nothing that is not one is changed by looking at it."""

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.cli.import_cases import opened_or_created
from engine.cli.main import main
from engine.errors import UserError
from engine.store.case import NewCase
from engine.store.folder.folder_store import DATABASE
from engine.store.identity import KEY_FILE
from engine.store.safety.checksums import WHOLE, seal

pytestmark = pytest.mark.folder

Make = Callable[..., NewCase]


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and bytes of each file but that in which processes tell each other what they read."""
    files = (path for path in folder.iterdir() if not path.name.endswith("-shm"))
    return {path.name: (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in files}


@pytest.mark.parametrize("ready", [False, True])
def test_all_that_create_or_open_one_archive_at_the_same_moment_have_the_same_one(tmp_path: Path, ready: bool) -> None:
    for n in range(6):
        folder, start = tmp_path / str(n), threading.Barrier(4)
        if ready:
            folder.mkdir()
        found: list[str | BaseException] = []

        def work(index: int, folder: Path = folder, start: threading.Barrier = start, found: list = found) -> None:
            start.wait()
            try:
                with Archive.create(folder, "models") if index % 2 else opened_or_created(folder) as archive:
                    found.append(archive.identity.check)
            except BaseException as error:
                found.append(error)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with Archive.open(folder) as archive:
            assert found == [archive.identity.check] * 4
        assert {path.name for path in folder.iterdir()} == {DATABASE, KEY_FILE}


@pytest.mark.parametrize("left", [(), (KEY_FILE,), (DATABASE,)])
def test_a_creation_that_was_killed_is_completed(tmp_path: Path, left: tuple[str, ...]) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for name in left:
        (folder / name).write_bytes(b"k" * 32 if name == KEY_FILE else b"")
    with Archive.create(folder) as archive:
        assert archive.stats()["cases"] == 0


def test_the_key_of_another_archive_is_refused(tmp_path: Path, archive: Archive) -> None:
    with Archive.create(tmp_path / "other"):
        shutil.copy(tmp_path / "other" / KEY_FILE, archive.folder)
    with pytest.raises(UserError, match="is not the key of this archive; restore both"):
        Archive.open(archive.place)


def test_an_archive_from_before_the_check_value_gets_one(archive: Archive) -> None:
    with archive._database.write() as db:
        db.execute("DELETE FROM settings WHERE name = 'identity_check'")
        seal(db, "settings", WHOLE)
    archive.close()
    for _ in range(2):
        with Archive.open(archive.place) as again:
            check = again._database.read("SELECT value FROM settings WHERE name = 'identity_check'")
            assert check == [(archive.identity.check,)]


def foreign(path: Path, mode: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA journal_mode = {mode}")
        db.execute("CREATE TABLE letters (text)")
        db.execute("INSERT INTO letters VALUES ('mine')")
    db.close()
    path.chmod(0o644)


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("with_key", [False, True])
def test_the_database_of_another_program_is_refused_and_not_touched(tmp_path: Path, mode: str, with_key: bool) -> None:
    foreign(tmp_path / DATABASE, mode)
    if with_key:
        (tmp_path / KEY_FILE).write_bytes(b"k" * 32)
    before = contents(tmp_path)
    for open_it in (Archive.open, Archive.create):
        with pytest.raises(UserError, match="of another program and was not changed"):
            open_it(tmp_path)
    assert main(["doctor", "--archive", str(tmp_path)]) == 2
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER evil AFTER INSERT ON cases BEGIN DELETE FROM reports; END",
        "CREATE VIEW reports2 AS SELECT load_extension('x')",
        "DROP TABLE facts",
        "DROP TRIGGER reports_fts_insert",
    ],
)
def test_a_schema_that_kindred_did_not_make_is_refused(archive: Archive, statement: str) -> None:
    archive.close()
    with sqlite3.connect(archive.folder / DATABASE) as db:
        db.execute(statement)
    db.close()
    with pytest.raises(UserError, match="is damaged; restore it"):
        Archive.open(archive.place)


@pytest.mark.parametrize("damage", ["list of migrations", "format"])
def test_a_damaged_schema_is_told_as_damage(archive: Archive, damage: str) -> None:
    folder = archive.folder
    archive.close()
    path = folder / DATABASE
    if damage == "format":
        data = bytearray(path.read_bytes())
        data[47] = 77  # schema format number (SQLite file format 1.3.10)
        path.write_bytes(data)
    else:
        with sqlite3.connect(path) as db:
            db.execute("DELETE FROM _sqlite_migrations")
        db.close()
    with pytest.raises(UserError, match="damaged"):
        Archive.open(folder)


def test_connections_trust_nothing_in_a_file(archive: Archive) -> None:
    names = ("trusted_schema", "secure_delete", "cell_size_check", "foreign_keys")
    with Archive.open(archive.place) as opened:
        found = {name: opened._database.read(f"PRAGMA {name}")[0][0] for name in names}
    assert found == {"trusted_schema": 0, "secure_delete": 1, "cell_size_check": 1, "foreign_keys": 1}


def test_an_archive_of_others_is_checked_when_it_is_opened_first(archive: Archive, make_case: Make) -> None:
    for n in range(40):
        archive.add_case(make_case(str(n), f"Report {n}.", seeds=[n]))
    archive.close()
    taken = archive.folder.with_name("taken")
    shutil.copytree(archive.folder, taken)
    data = bytearray((taken / DATABASE).read_bytes())
    data[-8192:-4096], data[-4096:] = data[-4096:], data[-8192:-4096]  # two pages swapped
    (taken / DATABASE).write_bytes(data)
    with pytest.raises(UserError, match="is damaged; restore it"):
        Archive.open(taken)


def test_an_empty_archive_that_another_process_has_open_is_not_taken_away(tmp_path: Path, make_case: Make) -> None:
    folder = tmp_path / "archive"
    others = []

    def failing_import() -> None:
        with opened_or_created(folder):
            others.append(Archive.create(folder, "models"))
            raise UserError("no image")

    with pytest.raises(UserError, match="no image"):
        failing_import()
    with others[0] as other:
        other.add_case(make_case("1", "Kept."))
    with Archive.open(folder) as archive:
        assert archive.stats()["cases"] == 1


@pytest.mark.parametrize("log", ["merged", "unmerged"])
def test_a_read_only_archive_is_searched_and_not_touched(
    archive: Archive, make_case: Make, encoder, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
    if log == "merged":
        archive.close()
    monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: True)
    before = contents(archive.folder)
    with Archive.open(archive.place) as found:
        report = found.case(case_id).report
        assert report is not None
        assert report.text == "Left effusion."
        assert found.read_only
        assert found.problems() == []
        for change in (lambda: found.add_case(make_case("2", "New.")), lambda: found.bind("other")):
            with pytest.raises(UserError, match="read-only: it can be searched but not changed"):
                change()
    assert contents(archive.folder) == before


def test_a_read_only_archive_without_an_index_file_is_searched(
    archive: Archive, make_case: Make, encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.retrieval.search import Query, search

    archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
    archive.close()
    if os.geteuid() == 0:  # no mode stops root
        monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: True)
        for module in ("vectors.index_file", "archive_scale"):
            monkeypatch.setattr(f"engine.store.folder.{module}.write_derived", read_only_disk)
    else:
        archive.folder.chmod(0o500)
    before = contents(archive.folder)
    with Archive.open(archive.place) as found:
        assert search(found, encoder, Query(text="effusion")).hits[0].text == "Left effusion."
    assert contents(archive.folder) == before
    archive.folder.chmod(0o700)


def read_only_disk(*_: object) -> None:
    raise OSError(30, "Read-only file system")


def test_an_archive_in_a_folder_whose_name_is_not_utf8_is_an_archive(
    tmp_path: Path, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "arch\udce8?#%20"
    with Archive.create(folder, "models") as archive:
        archive.add_case(make_case("1", "Kept."))
    monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: True)
    with Archive.open(folder) as archive:
        assert archive.stats()["cases"] == 1


def test_an_error_that_damage_explains_is_told_as_damage(archive: Archive, make_case: Make) -> None:
    archive.add_case(make_case("1", "Kept.", age=40))

    def read() -> None:
        with Archive.open(archive.place) as opened:
            age = opened.case(1).age
            assert age is not None
            age + 1

    read()
    archive.close()
    with sqlite3.connect(archive.folder / DATABASE) as db:
        db.execute("UPDATE cases SET age = 'forty'")
    db.close()
    with pytest.raises(UserError, match="is damaged; restore it"):
        read()


def test_an_error_that_nothing_explains_keeps_its_traceback(archive: Archive) -> None:
    def fail() -> None:
        with Archive.open(archive.place):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
