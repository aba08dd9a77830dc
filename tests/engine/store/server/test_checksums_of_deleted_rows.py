"""Deleted rows take their checksums with them, found by the index: a department has millions of checksums."""

from collections.abc import Callable, Iterator

import pytest

from engine.archive import Archive
from engine.store.case import NewCase
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

OLD = """CREATE OR REPLACE FUNCTION drop_checksum() RETURNS trigger LANGUAGE plpgsql SET search_path = kindred AS
    $$ BEGIN RETURN NULL; END $$"""
SCANS = "SELECT seq_scan, idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'checksums'"


@pytest.fixture
def archive(
    server: DepartmentServer, template: str, make_case: Callable[..., NewCase], encoder: WordEncoder
) -> Iterator[Archive]:
    place = server.empty_database(template)
    with Archive.open(place) as opened:
        for n in range(4):
            opened.add_case(make_case(str(n), f"Report {n}.", [n]), encoder.id)
        yield opened
    server.drop(place)


def checksums(archive: Archive) -> set[tuple[str, str]]:
    return set(archive._database.read("SELECT name, id FROM checksums WHERE name NOT IN ('audit', 'settings')"))


def test_no_checksum_of_a_deleted_case_is_left(archive: Archive) -> None:
    assert {name for name, _ in checksums(archive)} >= {"cases", "images", "reports", "embeddings", "facts"}
    archive.delete(archive.case_ids())
    assert checksums(archive) == set()


def test_checksums_of_deleted_rows_are_found_by_the_index(archive: Archive) -> None:
    with archive._database.write() as db:
        db.execute("INSERT INTO checksums SELECT 'others', n, 0 FROM generate_series(1, 10000) AS n")
        db.execute("DELETE FROM embeddings")
        db.execute("DELETE FROM cases")
        scanned, by_index = db.execute(SCANS).fetchone()
    assert (scanned, by_index > 8) == (0, True)


def test_an_archive_with_the_function_of_before_is_upgraded_when_it_is_opened(archive: Archive) -> None:
    with archive._database.reading() as db:
        db.execute(OLD)
        db.execute("DELETE FROM migrations WHERE name = 'find_checksums_of_deleted_rows_by_index'")
    with Archive.open(archive.place) as again:
        again.delete(again.case_ids())
        assert checksums(again) == set()
        assert again.problems(deep=True) == []
