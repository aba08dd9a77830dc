"""Connections to encrypted databases: the errors of sqlite3, and nothing in temporary files."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from engine.store.encryption import cipher
from engine.store.encryption.key_file import new_key


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(cipher.connect(str(tmp_path / "x.db"), new_key(), isolation_level=None)) as made:
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
        yield made


@pytest.mark.parametrize(
    ("kind", "code", "sql"),
    [
        (sqlite3.OperationalError, sqlite3.SQLITE_ERROR, "SELECT * FROM missing"),
        (sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT, "INSERT INTO t (word) VALUES (NULL)"),
    ],
)
def test_errors_are_those_of_sqlite3_with_their_codes(
    connection: sqlite3.Connection, kind: type[sqlite3.Error], code: int, sql: str
) -> None:
    for call in (connection.execute, connection.cursor().execute):
        with pytest.raises(kind) as caught:
            call(sql)
        assert caught.value.sqlite_errorcode == code


def test_a_wrong_key_is_no_database_and_prints_nothing(
    connection: sqlite3.Connection, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    connection.close()
    with (
        closing(cipher.connect(str(tmp_path / "x.db"), new_key())) as other,
        pytest.raises(sqlite3.DatabaseError) as caught,
    ):
        other.execute("SELECT * FROM t")
    assert caught.value.sqlite_errorcode == sqlite3.SQLITE_NOTADB
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the open files of the process in /proc")
def test_a_large_sort_leaves_nothing_in_temporary_files(connection: sqlite3.Connection, tmp_path: Path) -> None:
    def temporary_files(of: sqlite3.Connection) -> list[str]:
        of.execute("PRAGMA cache_size = 10")
        of.execute("BEGIN")
        of.executemany("INSERT INTO t (word) VALUES (?)", [(f"word {n % 977}" * 20,) for n in range(20_000)])
        of.execute("COMMIT")
        rows = of.execute("SELECT word FROM t ORDER BY word")
        rows.fetchone()
        names = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        return [name for name in names if "etilqs" in name]  # SQLite deletes them as soon as they are open

    assert temporary_files(connection) == []
    with closing(sqlite3.connect(tmp_path / "plain.db", isolation_level=None)) as plain:
        plain.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT NOT NULL)")
        assert temporary_files(plain) != []  # the search finds one where there is one
