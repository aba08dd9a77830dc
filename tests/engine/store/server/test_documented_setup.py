"""What docs/department.md tells an administrator to type works as it stands there, and so do its backups."""

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from engine.archive import Archive
from engine.store.address import Address
from engine.store.case import NewCase
from tests.paths import ROOT
from tools.department_server import DepartmentServer

GUIDE = (ROOT / "docs" / "department.md").read_text()
AT_SERVER, IN_DATABASE, ACCOUNT = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def new_server() -> Iterator[DepartmentServer]:
    """One of which no role and no database was made before."""
    with tempfile.TemporaryDirectory(prefix="kindred-server-") as folder:
        started = DepartmentServer(Path(folder) / "data")
        yield started
        started.stop()


def execute(server: DepartmentServer, statements: str, database: str, user: str = "postgres") -> None:
    where = server.address(database)
    with psycopg.connect(host=where.host, port=where.port, dbname=database, user=user, autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement)  # type: ignore[call-overload]


def content(place: Address) -> tuple[object, ...]:
    with Archive.open(place) as archive:
        assert archive.problems(deep=True) == []
        assert archive.audit_problems() == []
        found = archive.full_text.find(["effusion"], 10)
        return archive.stats(), [one.case_id for one in found], archive.index.rows().ids.tolist(), archive.audit()


def test_the_documented_statements_make_an_archive_and_its_accounts(
    new_server: DepartmentServer, make_case: Callable[..., NewCase], encoder
) -> None:
    execute(new_server, AT_SERVER, "postgres")
    execute(new_server, IN_DATABASE, "kindred")
    Archive.create(new_server.address("kindred", "kindred_owner"), encoder.id).close()
    execute(new_server, ACCOUNT, "kindred", "kindred_owner")
    with Archive.open(new_server.address("kindred", "anna")) as archive:
        assert not archive.read_only
        archive.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
        archive.add_case(make_case("2", "No effusion.", [2]), encoder.id)
    owner = new_server.address("kindred", "kindred_owner")
    with Archive.open(owner) as archive:
        archive.delete([2])
    before = content(owner)

    backup = new_server.folder / "kindred.dump"
    at = ("-h", new_server.folder, "-p", new_server.port, "-U", "postgres")
    new_server.program("pg_dump", *at, "--format=custom", f"--file={backup}", "kindred")
    new_server.program("createdb", *at, "--owner=kindred_owner", "restored")
    new_server.program("pg_restore", *at, "--dbname=restored", "--exit-on-error", backup)
    assert content(new_server.address("restored", "kindred_owner")) == before
    with Archive.open(new_server.address("restored", "anna")) as archive:
        assert archive.add_case(make_case("3", "Right effusion.", [3]), encoder.id) == 3
