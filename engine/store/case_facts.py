"""The facts of archived cases as rows of their own table. Knows no ranking, and finds facts in no image.

A fact of a source that is trusted more replaces that of another one; the words of a report give way to a new report's,
what models say to what newer models say, and what the header of one image says to one of another that differs.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

from engine.facts.fact import Fact, FactKind, Facts, FactSource
from engine.facts.from_words import facts_of_words
from engine.store.shared_sql import Connection, put, read_many

TO_ASK = """SELECT id, case_id FROM images AS image WHERE id IN ({})
    AND NOT EXISTS (SELECT 1 FROM images WHERE case_id = image.case_id AND id < image.id)
    AND 2 > (SELECT count(*) FROM facts WHERE case_id = image.case_id AND source != 'models'
        AND kind IN ('modality', 'region'))"""
SOURCES: tuple[FactSource, ...] = ("user", "header", "words", "models")
"""In order of trust."""
assert set(SOURCES) == set(get_args(FactSource))


def add_facts(db: Connection, case_id: int, facts: Facts) -> None:
    """Add the facts of a case, but none without a value, inside a transaction that the caller has open."""
    known = _facts_of(db, case_id)
    for kind, fact in facts.items():
        if fact.value and (kind not in known or SOURCES.index(fact.source) < SOURCES.index(known[kind].source)):
            columns = {"value": fact.value, "source": fact.source, "probability": fact.probability}
            put(db, "facts", ("case_id", "kind"), case_id=case_id, kind=kind, **columns)


def confirm_facts(db: Connection, case_id: int, facts: Facts) -> None:
    """Add the facts of further images of a case, inside a transaction that the caller has open.

    Of what the headers of earlier images say, that goes which those of the further ones contradict, and these add
    nothing, since the earlier ones may have contradicted each other; the modality stays the first one.
    """
    header = {kind: fact for kind, fact in facts.items() if fact.source == "header"}
    for kind, known in _facts_of(db, case_id).items():
        if known.source == "header" and kind != "modality" and header.get(kind, known).value != known.value:
            db.execute("DELETE FROM facts WHERE case_id = ? AND kind = ?", [case_id, kind])
    add_facts(db, case_id, {kind: fact for kind, fact in facts.items() if kind == "modality" or kind not in header})


def set_words(db: Connection, case_id: int, text: str) -> None:
    """Replace the facts that the words of a case say, inside a transaction that the caller has open."""
    _replace(db, case_id, "words", facts_of_words(text))


def set_models(db: Connection, case_id: int, facts: Facts) -> None:
    """Replace what models said of a case, inside a transaction that the caller has open."""
    _replace(db, case_id, "models", facts)


def _facts_of(db: Connection, case_id: int) -> Facts:
    return facts_of_cases(lambda sql, values: db.execute(sql, values).fetchall(), [case_id]).get(case_id, {})


def _replace(db: Connection, case_id: int, source: FactSource, facts: Facts) -> None:
    db.execute("DELETE FROM facts WHERE case_id = ? AND source = ?", [case_id, source])
    add_facts(db, case_id, facts)


def images_to_ask(read: Callable[..., list[Any]], image_ids: Sequence[int]) -> dict[int, int]:
    """Of some images those by which models are asked about a case, with the id of the case.

    It is the first image of a case of which header and words do not say both modality and region.
    """
    return dict(read(TO_ASK.format(", ".join("?" * len(image_ids))), list(image_ids)))


def facts_of_cases(read: Callable[..., list[Any]], case_ids: Iterable[int] | None = None) -> dict[int, Facts]:
    """The facts of some or all cases by case id; a case without facts is absent."""
    sql = "SELECT case_id, kind, value, source, probability FROM facts"
    rows = read(sql, ()) if case_ids is None else read_many(read, sql + " WHERE case_id IN ({})", list(case_ids))
    found: dict[int, dict[FactKind, Fact]] = defaultdict(dict)
    for case_id, kind, value, source, probability in rows:
        found[case_id][kind] = Fact(value, source, probability)
    return dict(found)
