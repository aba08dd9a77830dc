"""Words and filters meet in one pass over the full-text index."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.archive import Archive
from engine.errors import DamagedError
from engine.store.case import NewCase
from engine.store.filters import Filters

Make = Callable[..., NewCase]
FILTERS = (
    Filters(modalities=("CT",)),
    Filters(modalities=("MR",), excluded=(2, 5)),
    Filters(excluded=(1, 3)),
    Filters(cases=(4, 50)),
    Filters(modalities=("US",)),
)


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    """60 reports of which the best by words are all CT, and the only one of an ultrasound comes last."""
    for number in range(60):
        modality = "US" if number == 59 else "CT" if number % 4 == 0 else "MR"
        words = (
            "Effusion, small effusion." if modality == "CT" else "Small effusion and " + "other words " * (number + 1)
        )
        archive.add_case(make_case(str(number), f"{words} {number}", modality=modality))
    return archive


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_the_best_of_the_allowed_are_found_in_the_order_of_all(filled: Archive, filters: Filters, limit: int) -> None:
    every = filled.full_text.find(["effusion"], 1_000)
    allowed = [one for one in every if one.case_id in filled.cases_allowed_by(filters)]
    assert len(every) == 60
    assert allowed
    assert filled.full_text.find(["effusion"], limit, filters) == allowed[:limit]


def test_no_report_is_looked_up_for_a_filter(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    read = filled._database.read

    def note(sql: str, values: Any = ()) -> list[Any]:
        asked.append(sql)
        return read(sql, values)

    monkeypatch.setattr(filled.full_text, "_read", note)
    found = filled.full_text.find(["effusion"], 3, FILTERS[0])
    assert len(found) == 3
    ranking = [sql for sql in asked if "ORDER BY rank" in sql]
    assert len(ranking) == 1
    assert "JOIN" not in ranking[0]


@pytest.mark.parametrize("filters", [Filters(), FILTERS[0]])
def test_a_report_that_is_deleted_during_a_search_is_left_out(
    filled: Archive, monkeypatch: pytest.MonkeyPatch, filters: Filters
) -> None:
    read = filled._database.read
    best, *others = filled.full_text.find(["effusion"], 3, filters)

    def delete_after(sql: str, values: Any = ()) -> list[Any]:
        rows = read(sql, values)
        if "ORDER BY rank" in sql:
            with filled._database.write() as db:
                db.execute("DELETE FROM reports WHERE case_id = ?", [best.case_id])
        return rows

    monkeypatch.setattr(filled.full_text, "_read", delete_after)
    found = filled.full_text.find(["effusion"], 3, filters)
    assert [one.case_id for one in found] == [one.case_id for one in others]


def test_a_report_of_what_is_no_case_is_damage(filled: Archive) -> None:
    with filled._database.reading() as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("UPDATE reports SET case_id = 'seven' WHERE id = 7")
        db.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(DamagedError, match="restore it from a backup"):
        filled.full_text.find(["effusion"], 3, FILTERS[0])


def test_words_that_no_allowed_report_has_find_nothing(filled: Archive) -> None:
    assert filled.full_text.find(["fracture"], 3, FILTERS[0]) == []
    assert filled.full_text.find(["effusion"], 3, Filters(modalities=("XA",))) == []


def test_a_report_that_comes_later_is_filtered_by_its_own_case(filled: Archive, make_case: Make) -> None:
    assert len(filled.full_text.find(["effusion"], 9, Filters(modalities=("US",)))) == 1
    filled.add_case(make_case("later", "Effusion.", modality="US"))
    assert len(filled.full_text.find(["effusion"], 9, Filters(modalities=("US",)))) == 2
