"""Which databases become archives, which are refused and left as they were, and what a tired administrator may do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from engine.archive import Archive
from engine.errors import DamagedError, UserError
from engine.store.address import Address
from engine.store.case import NewCase
from engine.store.server import server_schema
from engine.store.server.server_database import MOST_IDLE, ServerDatabase
from tests.engine.stores import by_hand
from tools.department_server import DepartmentServer

Make = Callable[..., NewCase]
DESKS = 4


def test_of_desks_that_create_an_archive_at_once_one_does(place: Address, encoder) -> None:
    with ThreadPoolExecutor(DESKS) as pool:
        made = list(pool.map(lambda _: Archive.create(place, encoder.id), range(DESKS)))
    assert len({one.identity.check for one in made}) == 1
    for one in made:
        assert one.bundle_id == encoder.id
        assert one.problems(deep=True) == []
        one.close()


def test_tables_of_others_are_left_alone(place: Address, server: DepartmentServer, encoder, make_case: Make) -> None:
    for statement in (
        "CREATE TABLE cases (id int PRIMARY KEY, name text)",
        "INSERT INTO cases VALUES (1, 'theirs')",
        "CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    ):
        server.execute(statement, place.database)
    with pytest.raises(UserError, match=r"^There is no archive at .*; an administrator creates it by an import\.$"):
        Archive.open(place)
    with Archive.create(place, encoder.id) as archive:
        archive.add_case(make_case("1", "Left effusion."))
        assert [one.case_id for one in archive.full_text.find(["effusions"], 5)] == [1]
        archive.delete([1])
    assert server.query("SELECT id, name FROM public.cases", place.database) == [(1, "theirs")]


def test_a_schema_of_the_same_name_is_not_taken_over(place: Address, server: DepartmentServer, encoder) -> None:
    server.execute("CREATE SCHEMA kindred CREATE TABLE settings (name text)", place.database)
    with pytest.raises(UserError, match=r"has a schema `kindred` that is none of Kindred's; choose another one\.$"):
        Archive.create(place, encoder.id)
    assert server.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'kindred'", place.database) == [(1,)]


def test_an_archive_of_a_newer_version_is_refused_and_not_changed(address: Address) -> None:
    with by_hand(address) as db:
        db.execute("INSERT INTO migrations (name) VALUES ('of_the_future')")
        before = db.execute("SELECT number FROM revision").fetchone()
    for open_it in (Archive.open, Archive.create):
        with pytest.raises(UserError, match=r"was made by a newer version of Kindred; update Kindred\.$"):
            open_it(address)
    with by_hand(address) as db:
        assert db.execute("SELECT number FROM revision").fetchone() == before


def test_an_older_archive_is_upgraded_by_its_owner_only(
    address: Address, account: Callable[[str], Address], monkeypatch: pytest.MonkeyPatch, make_case: Make, encoder
) -> None:
    changed = {**server_schema.MIGRATIONS, "add_a_table": ("CREATE TABLE added (x bigint)",)}
    monkeypatch.setattr(server_schema, "MIGRATIONS", changed)
    for role in ("writer", "administrator"):
        with pytest.raises(UserError, match="was made by an older version of Kindred; its administrator opens it once"):
            Archive.open(account(role))
    with ThreadPoolExecutor(DESKS) as pool:  # also when several do so at once
        for one in pool.map(lambda _: Archive.open(address), range(DESKS)):
            one.close()
    with Archive.open(account("writer")) as archive:
        archive.add_case(make_case("1", "Left effusion."), encoder.id)
    with by_hand(address) as db:
        assert db.execute("SELECT count(*) FROM added").fetchone() == (0,)


def test_an_upgrade_that_fails_leaves_nothing(address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    half = {**server_schema.MIGRATIONS, "half_done": ("CREATE TABLE half (x bigint)", "SELECT 1 / 0")}
    with monkeypatch.context() as patched:
        patched.setattr(server_schema, "MIGRATIONS", half)
        with pytest.raises(Exception, match="division by zero"):
            Archive.open(address)
    with Archive.open(address) as archive:
        assert archive._database.read("SELECT to_regclass('half')") == [(None,)]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_character_is_refused(
    server: DepartmentServer, encoder, encoding: str
) -> None:
    server.execute(f"CREATE DATABASE narrow TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
    address = server.address("narrow")
    try:
        with pytest.raises(UserError, match="does not have the encoding UTF8, so that it cannot keep every report"):
            Archive.create(address, encoder.id)
        assert not Archive.exists(address)
    finally:
        server.drop(address)


def test_an_archive_whose_key_was_replaced_is_damaged(address: Address) -> None:
    with by_hand(address) as db:
        db.execute("UPDATE identity SET key = ?", [bytes(32)])
    with pytest.raises(DamagedError):
        Archive.open(address)
    with by_hand(address) as db:
        db.execute("DELETE FROM identity")
    with pytest.raises(DamagedError):
        Archive.open(address)


def test_counts_come_in_the_order_of_a_folder_whatever_the_locale(
    server: DepartmentServer, encoder, make_case: Make
) -> None:
    server.execute("CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    address = server.address("sorted")
    try:
        with Archive.create(address, encoder.id) as archive:
            for number, modality in enumerate(("us", "US", "CT", "", "b", "A", "Z", "a")):
                archive.add_case(make_case(str(number), "Chest.", modality=modality), encoder.id)
            expected = ["", "A", "CT", "US", "Z", "a", "b", "us"]
            assert list(archive.stats()["modalities"]) == list(archive.statistics().modalities) == expected
    finally:
        server.drop(address)


def test_a_desk_keeps_few_connections(address: Address, server: DepartmentServer) -> None:
    database = ServerDatabase(address)
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: database.read("SELECT pg_sleep(0.05)"), range(24)))
    assert 1 <= len(server.processes(address.database)) <= MOST_IDLE
    database.close()


def test_the_clock_of_the_server_does_not_date_cases(address: Address, server: DepartmentServer, make_case) -> None:
    server.execute(f"ALTER DATABASE {address.database} SET timezone = 'Pacific/Kiritimati'")
    with Archive.open(address) as archive:
        archive.add_case(make_case("1", "Left effusion."))
        assert list(archive.statistics().added) == [archive.case(1).created[:10]]
        assert archive.case(1).created.endswith("+00:00")


@pytest.mark.parametrize("environment", [("PGCLIENTENCODING", "LATIN1"), ("PGOPTIONS", "-c search_path=public")])
def test_the_environment_of_a_desk_does_not_change_what_it_writes(
    address: Address, environment: tuple[str, str], monkeypatch: pytest.MonkeyPatch, make_case: Make
) -> None:
    monkeypatch.setenv(*environment)
    with Archive.open(address) as archive:
        archive.add_case(make_case("1", "Erguß, 5 µm – 胸水."))
        assert archive.reports_of([1]) == {1: "Erguß, 5 µm – 胸水."}


def test_two_desks_that_write_and_check_at_once_see_one_chain_and_no_problem(address: Address, make_case: Make) -> None:
    def work(desk: int) -> list[str]:
        found = []
        with Archive.open(replace(address)) as archive:
            for number in range(4):
                case_id = archive.add_case(make_case(f"{desk}.{number}", f"Report {number} of desk {desk}.", [desk]))
                archive.delete([case_id])
                found += archive.audit_problems() + archive.problems(deep=True)
        return found

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == [[], [], []]
    with Archive.open(address) as archive:
        assert len(archive.audit()) == 12
        assert archive.audit_problems() == []


def test_a_text_of_a_megabyte_is_kept_and_searched(address: Address, make_case: Make) -> None:
    text = "Effusion. " + " ".join(f"w{number}" for number in range(150_000))
    with Archive.open(address) as archive:
        archive.add_case(make_case("1", "Fracture."))
        with archive._database.write() as db:
            db.execute("UPDATE reports SET text = ?", [text])
        assert archive.reports_of([1]) == {1: text}
        assert [one.case_id for one in archive.full_text.find(["effusions"], 5)] == [1]
