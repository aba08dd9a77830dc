"""Exact words in scripts without spaces, of which the full-text index takes a whole sentence as one word."""

from collections.abc import Callable

import pytest

from engine.archive import Archive
from engine.retrieval.lexical import character_pairs, find
from engine.store.filters import Filters

TEXTS = ("右肺下叶肺炎，未见胸腔积液。", "ＣＴ胸部で浸潤影を認める。", "Normal chest.", "왼쪽 폐렴이 있습니다.")


@pytest.fixture
def filled(archive: Archive, make_case: Callable) -> Archive:
    for number, text in enumerate(TEXTS):
        archive.add_case(make_case(str(number), text))
    return archive


@pytest.mark.parametrize(("query", "case_id"), [("肺炎", 1), ("胸腔积液", 1), ("浸潤影", 2), ("폐렴", 4), ("chest", 3)])
def test_words_are_found_wherever_they_stand(filled: Archive, query: str, case_id: int) -> None:
    assert [match.case_id for match in find(filled, query, 10)] == [case_id]


def test_reports_with_more_of_the_query_come_first_and_filters_hold(filled: Archive, make_case: Callable) -> None:
    filled.add_case(make_case("both", "左肺炎，胸腔积液。"))
    found = find(filled, "左肺炎 胸腔积液", 10)
    assert [match.case_id for match in found] == [5, 1]
    assert found[1].words == ("肺炎", "胸腔", "腔积", "积液")
    assert [match.case_id for match in find(filled, "左肺炎", 10, Filters(excluded=[5]))] == [1]
    assert len(find(filled, "肺炎", 1)) == 1


def test_a_long_query_is_cut_and_a_single_character_counts(filled: Archive) -> None:
    assert find(filled, "肺", 10)[0].case_id == 1
    assert find(filled, "甲乙丙丁" * 400, 10) == []
    assert character_pairs("肺 chest") == ["肺"]
