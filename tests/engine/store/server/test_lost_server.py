"""A server that goes away is said in one sentence, nothing half is written, and the next call finds it again."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.errors import UnreachableError, UserError
from engine.reports.outbox import archive_waiting
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import Workspace
from engine.store.address import Address
from engine.store.case import NewCase
from engine.store.server import connecting, server_database, silence
from engine.store.shared_sql import insert, now
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

Make = Callable[..., NewCase]
SENTENCE = r"^The archive [^ ]+ cannot be reached; check the network, or ask its administrator\.$"


@pytest.fixture(scope="module")
def mortal() -> Iterator[DepartmentServer]:
    """A server that tests may kill, and that flushes what it has acknowledged."""
    folder = Path(tempfile.mkdtemp(prefix="kindred-server-"))
    started = DepartmentServer(folder / "data")
    yield started
    started.stop()
    shutil.rmtree(folder)


@pytest.fixture
def archive(mortal: DepartmentServer, encoder: WordEncoder) -> Iterator[Archive]:
    with Archive.create(mortal.empty_database(), encoder.id) as created:
        yield created


def kill(server: DepartmentServer) -> None:
    server.kill()
    server.wait_for_end()


def test_a_server_lost_in_a_read_is_said_and_found_again(
    mortal: DepartmentServer, archive: Archive, make_case: Make
) -> None:
    archive.add_case(make_case("1", "Left effusion.", [1]))

    def read() -> None:
        with archive._database.reading() as db:
            assert db.execute("SELECT count(*) FROM cases").fetchone()[0] == 1
            kill(mortal)
            db.execute("SELECT count(*) FROM cases")

    with pytest.raises(UnreachableError, match=SENTENCE):
        read()
    with pytest.raises(UnreachableError, match=SENTENCE):
        archive.case(1)
    mortal.start()
    assert archive.reports_of([1]) == {1: "Left effusion."}


def test_a_server_lost_in_a_write_leaves_nothing_half(
    mortal: DepartmentServer, archive: Archive, make_case: Make
) -> None:
    archive.add_case(make_case("1", "Left effusion.", [1]))

    def write() -> None:
        with archive._database.write() as db:
            insert(db, "audit", at=now(), action="case deleted", case_id=1, detail="")
            db.execute("DELETE FROM cases")
            kill(mortal)
            db.execute("DELETE FROM checksums")

    with pytest.raises(UnreachableError, match=SENTENCE):
        write()
    mortal.start()
    assert archive.problems(deep=True) == []
    assert archive.audit_problems() == []
    assert archive.audit() == []
    assert archive.add_case(make_case("2", "Right effusion.", [2])) > 1
    assert archive.problems(deep=True) == []


def test_a_server_that_was_restarted_while_nobody_asked_is_not_noticed(
    mortal: DepartmentServer, archive: Archive, make_case: Make
) -> None:
    archive.add_case(make_case("1", "Left effusion.", [1]))
    kill(mortal)
    mortal.start()
    assert archive.reports_of([1]) == {1: "Left effusion."}
    archive.add_case(make_case("2", "Right effusion."))
    assert archive.stats()["cases"] == 2


def test_a_report_that_was_signed_meanwhile_is_delivered_later(
    mortal: DepartmentServer, archive: Archive, encoder: WordEncoder
) -> None:
    with Workspace.open() as workspace:
        kill(mortal)
        workspace.save_edit("1.2", "Left effusion.")
        workspace.sign("1.2", "ada", Submission(ReportFacts("CR")))
        delivery = archive_waiting(workspace, archive, encoder)
        assert [type(one) for one in delivery.refused] == [UnreachableError]
        assert workspace.waiting() == ("1.2",)
        mortal.start()
        assert [one.case_id for one in archive_waiting(workspace, archive, encoder).archived] == [1]
        assert workspace.waiting() == ()
    assert archive.reports_of([1]) == {1: "Left effusion."}


def test_opening_an_archive_of_a_server_that_is_not_there_says_so(mortal: DepartmentServer) -> None:
    address = mortal.empty_database()
    kill(mortal)
    for open_it in (Archive.open, Archive.create, Archive.exists):
        with pytest.raises(UnreachableError, match=SENTENCE):
            open_it(address)
    mortal.start()
    assert not Archive.exists(address)


def test_the_name_of_a_server_that_is_not_there_is_not_taken_for_what_it_says(tmp_path: Path) -> None:
    for name in ("role", "ssl", "certificate", "password"):
        with pytest.raises(UnreachableError, match=SENTENCE):
            Archive.open(Address(str(tmp_path / name), 5432, "kindred", "anna"))


def test_a_connection_that_an_administrator_ended_is_replaced(mortal: DepartmentServer, archive: Archive) -> None:
    name = archive.name
    assert archive.case_ids() == []
    mortal.query(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")
    assert archive.case_ids() == []


def test_a_server_with_no_connection_left_is_said_to_be_busy(mortal: DepartmentServer, archive: Archive) -> None:
    mortal.execute("CREATE ROLE few LOGIN CONNECTION LIMIT 0")
    mortal.execute("GRANT kindred_reader TO few")
    address = Address(str(mortal.folder), mortal.port, archive.name, "few")
    with pytest.raises(UnreachableError, match=r"has no free connection; try again later\.$"):
        Archive.open(address)


def test_a_search_that_takes_too_long_is_ended_by_the_server(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.close()
    monkeypatch.setattr(server_database, "LONGEST", "50ms")
    with pytest.raises(UserError, match="took too long to answer; search with fewer words or more filters"):
        archive._database.read("SELECT count(*) FROM generate_series(1, 1000000000)")
    with archive._database.write() as db:  # what must not be cut off takes as long as it takes
        assert db.execute("SHOW statement_timeout").fetchone()[0] == "0"
    with archive._database.unlimited() as db:
        assert db.execute("SHOW statement_timeout").fetchone()[0] == "0"
    assert archive._database.read("SHOW statement_timeout") == [("50ms",)]


@pytest.mark.parametrize("host", ["h" * 64, "a..b"])
def test_a_name_that_no_server_can_have_is_a_server_that_cannot_be_reached(host: str) -> None:
    with pytest.raises(UnreachableError, match=SENTENCE):
        Archive.exists(Address(host, 5432, "kindred", "anna"))


def test_a_server_that_stands_still_is_said_and_found_again(
    mortal: DepartmentServer, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENCE", 0.2)
    monkeypatch.setattr(connecting, "WAIT", 2)

    def write() -> None:
        with archive._database.write() as db, mortal.frozen():
            db.execute("SELECT count(*) FROM cases").fetchone()

    with pytest.raises(UnreachableError, match=SENTENCE):
        write()
    assert archive.case_ids() == []
    assert archive.audit_problems() == []


def test_a_server_that_only_takes_its_time_is_waited_for(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silence, "SILENCE", 0.1)
    assert archive._database.read("SELECT pg_sleep(1)::text") == [("",)]


def test_a_server_without_a_free_connection_is_waited_for_too(
    mortal: DepartmentServer, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "SILENCE", 0.1)
    mortal.execute("CREATE ROLE single LOGIN CONNECTION LIMIT 1")
    mortal.execute("GRANT kindred_reader TO single")
    address = Address(str(mortal.folder), mortal.port, archive.name, "single")
    connection = connecting.connect(address)
    assert connection.execute("SELECT pg_sleep(1)::text").fetchall() == [("",)]
    connection.close()
