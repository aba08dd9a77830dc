"""What runs with the rights of the owner does not run what someone else has written."""

from collections.abc import Iterator

import psycopg
import pytest

from engine.store.address import Address
from tools.department_server import DepartmentServer

INTRUDER = "intruder"
SHADOWS = (
    "CREATE TEMP TABLE facts (case_id bigint, kind text, value text, probability double precision)",
    "INSERT INTO pg_temp.facts VALUES (1, 'modality', 'CR', 1)",
    "CREATE TEMP TABLE fact_vectors (case_id bigint PRIMARY KEY, facts sparsevec)",
    """CREATE FUNCTION pg_temp.run() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'CREATE TABLE kindred.taken (x int)'; RETURN NEW; END $$""",
    "CREATE TRIGGER run BEFORE INSERT ON pg_temp.fact_vectors FOR EACH ROW EXECUTE FUNCTION pg_temp.run()",
    "GRANT ALL ON pg_temp.facts, pg_temp.fact_vectors TO PUBLIC",
)
"""Tables in the place of ours, which make one as whoever changes them."""


@pytest.fixture
def intruder(server: DepartmentServer, template: str) -> Iterator[Address]:
    made = server.empty_database(template)
    server.execute(f"CREATE ROLE {INTRUDER} LOGIN")
    yield Address(made.host, made.port, made.database, INTRUDER)
    server.drop(made)
    server.execute(f"DROP ROLE {INTRUDER}")


def connected(address: Address) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=address.host, port=address.port, dbname=address.database, user=address.user, autocommit=True
    )


def test_a_writer_gets_no_right_of_the_owner_by_temporary_tables(server: DepartmentServer, intruder: Address) -> None:
    server.execute(f"GRANT kindred_writer TO {INTRUDER}")
    with connected(intruder) as db:
        for statement in SHADOWS:
            db.execute(statement)  # type: ignore[call-overload]
        db.execute(
            """INSERT INTO kindred.cases (key, modality, sex, body_part, description, source, licence, attribution,
            created) VALUES ('1', 'CR', '', '', '', '', '', '', '')"""
        )
        db.execute("INSERT INTO kindred.facts VALUES (1, 'modality', 'CR', 'header', 1)")
        assert db.execute("SELECT case_id FROM kindred.fact_vectors").fetchall() == [(1,)]
        assert db.execute("SELECT to_regclass('kindred.taken')").fetchall() == [(None,)]


def test_a_reader_cannot_have_functions_of_the_owner_called(server: DepartmentServer, intruder: Address) -> None:
    server.execute(f"GRANT kindred_reader TO {INTRUDER}")
    with connected(intruder) as db:
        for statement in (*SHADOWS, "CREATE TEMP TABLE own (case_id bigint)"):
            db.execute(statement)  # type: ignore[call-overload]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute(
                """CREATE TRIGGER own AFTER INSERT ON pg_temp.own FOR EACH ROW
                EXECUTE FUNCTION kindred.put_fact_vector()"""
            )
