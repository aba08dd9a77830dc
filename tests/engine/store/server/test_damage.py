"""Every value that is changed on a server beside Kindred is found by its checksum, or refused by PostgreSQL."""

from collections.abc import Callable

import numpy as np
import psycopg
import pytest

from engine.archive import Archive
from engine.store.address import Address
from engine.store.case import NewCase, NewReport
from engine.store.safety.checksums import KEYS
from engine.store.server.server_schema import file_layout
from engine.store.shared_sql import StoredVector

Make = Callable[..., NewCase]
UNSEALED = {"facts": "case_id", "name_keys": "case_id", "join_keys": "case_id"}


class Undone(Exception):
    """Ends a transaction without a change."""


@pytest.fixture
def archive(address: Address, make_case: Make, encoder):
    with Archive.open(address) as opened:
        for key in ("1", "2", "3"):
            case = make_case(key, f"CT of the chest {key}.", [int(key)], modality="CT", age=40, patient="p")
            opened.add_case(case, encoder.id)
        opened.merge([1, opened.add_case(make_case("4", "", [1], modality="CT", age=40, patient="p"), encoder.id)])
        opened.set_report(2, NewReport("Left effusion.", np.ones(48), "signed", machine_share=0.5), "signed")
        assert opened.problems(deep=True) == []
        yield opened


def changed(value: object) -> object:
    if isinstance(value, StoredVector):
        return StoredVector(bytes([value[0] ^ 1]) + value[1:])
    if isinstance(value, bytes | str) and value:
        first = bytes([value[0] ^ 1]) if isinstance(value, bytes) else chr(ord(value[0]) ^ 1)
        return first + value[1:]  # type: ignore[operator]
    if isinstance(value, float):
        return float(np.nextafter(value, 2))
    return value ^ 1 if isinstance(value, int) else "x" if value == "" else 1


@pytest.mark.parametrize("table", sorted(KEYS.keys() - {"join_keys", "name_keys"}))
def test_every_changed_value_is_found_or_refused(archive: Archive, table: str) -> None:
    unseen, found = [], 0
    for column, _ in file_layout(table):
        try:
            with archive._database.write() as db:
                where = f"ctid = (SELECT min(ctid) FROM {table})"
                ((value,),) = db.execute(f"SELECT {column} FROM {table} WHERE {where}").fetchall()
                statement = f"UPDATE {table} SET {column} = ? WHERE {where} RETURNING 1"
                assert len(db.execute(statement, [changed(value)]).fetchall()) == 1
                if archive.problems(deep=True):
                    found += 1
                else:
                    unseen.append(column)
                raise Undone
        except (Undone, psycopg.IntegrityError, psycopg.DataError):
            pass
    assert unseen == []
    assert found > 0
    assert archive.problems(deep=True) == []
