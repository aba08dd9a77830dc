"""The columns of facts say what the rows of the database say, whoever changes those, and are read once."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.facts.fact import KINDS, Fact, Facts
from engine.store.case import NewCase, NewReport
from engine.store.folder.fact_columns import CODES, OTHER, UNSURE, FactColumns

Make = Callable[..., NewCase]
CT: Facts = {"modality": Fact("CT", "header"), "region": Fact("chest", "models", 0.75)}


def as_rows(archive: Archive) -> dict[tuple[int, str], tuple[int, float]]:
    """What the columns of an archive say, by case and kind."""
    return {
        (case_id, kind): (int(code), float(column.probabilities[case_id]))
        for kind, column in archive._store.fact_columns.current().items()
        for case_id, code in enumerate(column.codes)
        if code
    }


def in_database(archive: Archive) -> dict[tuple[int, str], tuple[int, float]]:
    return {
        (case_id, kind): (CODES[kind][fact.value], fact.probability)
        for case_id, facts in archive.facts_of().items()
        for kind, fact in facts.items()
    }


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    archive.add_case(make_case("0", "Left pleural effusion.", seeds=[0], facts=CT))
    archive.add_case(make_case("1", seeds=[1]))
    return archive


def test_an_empty_archive_has_empty_columns(archive: Archive) -> None:
    assert as_rows(archive) == {}
    assert set(archive._store.fact_columns.current()) == set(KINDS)


def test_columns_follow_every_change(filled: Archive, make_case: Make) -> None:
    vector = make_case("x", "x").report.embedding
    assert as_rows(filled) == in_database(filled)
    assert (1, "laterality") in as_rows(filled)
    filled.add_case(make_case("2", seeds=[2], facts=CT))
    assert as_rows(filled) == in_database(filled)
    filled.set_report(1, NewReport("Right pleural effusion.", vector), "corrected")
    assert as_rows(filled) == in_database(filled)
    filled.delete([1])
    assert as_rows(filled) == in_database(filled)
    assert {case for case, _ in as_rows(filled)} == {3}


def test_columns_follow_a_change_by_another_program(filled: Archive, make_case: Make) -> None:
    before = as_rows(filled)
    with Archive.open(filled.folder) as other:
        other.add_case(make_case("2", seeds=[2], facts=CT))
    assert as_rows(filled) == in_database(filled) != before


def test_facts_are_read_once_and_later_only_those_of_later_cases(
    filled: Archive, make_case: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = filled._database.read, []

    def note(sql: str, values: Any = ()) -> list[Any]:
        asked.append((sql, list(values)))
        return read(sql, values)

    monkeypatch.setattr(filled._database, "read", note)
    columns = FactColumns(filled._database)
    columns.current()
    before = len(asked)
    columns.current()
    assert len(asked) == before
    monkeypatch.undo()
    added = filled.add_case(make_case("2", seeds=[2], facts=CT))
    monkeypatch.setattr(filled._database, "read", note)
    columns.current()
    assert [values for sql, values in asked if sql == UNSURE] == [[0, 1], [1, added]]


def test_a_value_of_a_later_version_is_some_other_value(filled: Archive) -> None:
    with filled._database.write() as db:
        db.execute("UPDATE facts SET value = 'thermography' WHERE case_id = 1 AND kind = 'modality'")
    assert as_rows(filled)[1, "modality"][0] == OTHER["modality"]


@pytest.mark.parametrize("change", ["probability = 'high'", "case_id = 1 << 40"])
def test_damaged_facts_are_said_to_be_damaged(filled: Archive, change: str) -> None:
    with filled._database.reading() as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute(f"UPDATE facts SET {change} WHERE kind = 'modality'")
    with pytest.raises(UserError, match="damaged"):
        filled._store.fact_columns.current()
