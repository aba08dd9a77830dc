"""A score scale is kept for all desks, but no search waits for it in vain."""

from collections.abc import Callable

import pytest

from engine.archive import Archive
from engine.retrieval.search import Query, search
from engine.store.case import NewCase
from engine.store.server.connecting import SESSION
from tests.engine.conftest import WordEncoder
from tools.department_server import DepartmentServer

KEPT = "SELECT count(*) FROM derived"


def test_a_search_is_answered_while_another_desk_writes_for_long(
    server: DepartmentServer,
    template: str,
    make_case: Callable[..., NewCase],
    encoder: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = server.empty_database(template)
    monkeypatch.setitem(SESSION, "lock_timeout", "50ms")
    with Archive.open(place) as desk, Archive.open(place) as other:
        desk.add_case(make_case("1", "Left effusion.", [1]), encoder.id)
        with other._database.write():
            assert [hit.case_id for hit in search(desk, encoder, Query(text="effusion")).hits] == [1]
            assert desk._database.read(KEPT) == [(0,)]
    with Archive.open(place) as later:
        search(later, encoder, Query(text="effusion"))
        assert later._database.read(KEPT) == [(1,)]
    server.drop(place)
