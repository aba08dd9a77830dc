"""Connections to a local database are few and shared by threads, one thread at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UserError
from engine.store.folder.local_database import LocalDatabase
from engine.store.safety.salvaged import MARKER


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[sqlite3.Connection]:
    """All connections opened so far."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def note(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made.append(connect(*arguments, **options))
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", note)
    return made


@pytest.fixture
def database(tmp_path: Path, opened: list[sqlite3.Connection]) -> Iterator[LocalDatabase]:
    made = LocalDatabase(tmp_path / "some.sqlite")
    with made.write() as db:
        db.execute("CREATE TABLE words (word TEXT)")
    yield made
    made.close()


@pytest.mark.parametrize(("flushed", "synchronous"), [(True, 2), (False, 1)], ids=["flushed", "plain"])
def test_a_flushed_transaction_waits_for_the_disk(database: LocalDatabase, flushed: bool, synchronous: int) -> None:
    with database.write(flushed=not flushed):  # a connection is used again, for another kind of transaction
        pass
    with database.write(flushed=flushed) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (synchronous,)


def words(database: LocalDatabase) -> list[str]:
    return [row[0] for row in database.read("SELECT word FROM words ORDER BY word")]


def in_thread(work: Any, *arguments: Any) -> None:
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()


def test_consecutive_threads_share_one_connection(database: LocalDatabase, opened: list[sqlite3.Connection]) -> None:
    """Python sees a new thread in each task of a pool; a day of reading must not exhaust the file handles."""
    for _ in range(30):
        in_thread(words, database)
    assert len(opened) == 1


def test_a_reader_works_beside_a_writer_and_sees_nothing_uncommitted(
    database: LocalDatabase, opened: list[sqlite3.Connection]
) -> None:
    seen: list[list[str]] = []
    with database.write() as db:
        db.execute("INSERT INTO words VALUES ('new')")
        in_thread(lambda: seen.append(words(database)))
        assert words(database) == ["new"]  # the writer itself sees what it wrote
    in_thread(lambda: seen.append(words(database)))
    assert seen == [[], ["new"]]
    assert len(opened) == 2


def test_a_connection_is_reused_after_a_failed_transaction(
    database: LocalDatabase, opened: list[sqlite3.Connection]
) -> None:
    def fail() -> None:
        with database.write() as db:
            db.execute("INSERT INTO words VALUES ('lost')")
            raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        fail()
    with database.write() as db:
        db.execute("INSERT INTO words VALUES ('kept')")
    assert words(database) == ["kept"]
    assert len(opened) == 1


def test_closing_closes_every_connection(database: LocalDatabase, opened: list[sqlite3.Connection]) -> None:
    with database.write():
        in_thread(words, database)
    database.close()
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_the_version_differs_after_a_commit_of_any_connection_and_only_then(database: LocalDatabase) -> None:
    with database.write() as db:
        db.execute("CREATE TABLE numbers (n INTEGER)")
    before = database.version()
    assert database.read("SELECT n FROM numbers") == []
    assert database.version() == before
    with database.write() as db:
        db.execute("INSERT INTO numbers VALUES (1)")
    own = database.version()
    assert own != before
    with sqlite3.connect(database.path) as other:
        other.execute("INSERT INTO numbers VALUES (2)")
    other.close()
    assert database.version() != own


def test_a_transaction_sees_its_own_changes_so_no_version_holds_in_it(database: LocalDatabase) -> None:
    with database.write() as db:
        db.execute("CREATE TABLE numbers (n INTEGER)")
        assert database.version() != database.version()
    assert database.version() == database.version()


def test_a_read_only_database_on_a_drive_that_is_gone_says_so(tmp_path: Path) -> None:
    made = LocalDatabase(tmp_path / "drive" / "some.sqlite")
    made.path.parent.mkdir()
    with made.write() as db:
        db.execute("CREATE TABLE words (word TEXT)")
    made.close()
    (made.path.parent / MARKER).touch()
    alone = LocalDatabase(made.path)
    assert alone.read_only
    made.path.parent.rename(tmp_path / "gone")
    for ask in (alone.version, lambda: words(alone)):
        with pytest.raises(UserError, match=r"No such file or directory: .*; check the disk"):
            ask()
