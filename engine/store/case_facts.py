"""The facts of archived cases as rows of their own table. Knows no ranking, and finds facts in no image.

A fact of a source that is trusted more replaces that of another one; the words of a report give way to a new report's.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, get_args

from sqlite_utils import Database

from engine.facts.fact import Fact, FactKind, Facts, FactSource
from engine.facts.from_words import facts_of_words

SOURCES: tuple[FactSource, ...] = ("user", "header", "words", "models")
"""In order of trust."""
assert set(SOURCES) == set(get_args(FactSource))


def add_facts(db: Database, case_id: int, facts: Facts) -> None:
    """Add the facts of a case, inside a transaction that the caller has open."""
    known = facts_of_cases(lambda sql, values: db.execute(sql, values).fetchall(), [case_id]).get(case_id, {})
    for kind, fact in facts.items():
        if kind not in known or SOURCES.index(fact.source) < SOURCES.index(known[kind].source):
            db.execute(
                "INSERT OR REPLACE INTO facts (case_id, kind, value, source, probability) VALUES (?, ?, ?, ?, ?)",
                [case_id, kind, fact.value, fact.source, fact.probability],
            )


def set_words(db: Database, case_id: int, text: str) -> None:
    """Replace the facts that the words of a case say, inside a transaction that the caller has open."""
    db.execute("DELETE FROM facts WHERE case_id = ? AND source = 'words'", [case_id])
    add_facts(db, case_id, facts_of_words(text))


def facts_of_cases(read: Callable[..., list[Any]], case_ids: Iterable[int] | None = None) -> dict[int, Facts]:
    """The facts of some or all cases by case id; a case without facts is absent."""
    where, values = "", []
    if case_ids is not None:
        values = list(case_ids)
        where = f" WHERE case_id IN ({', '.join('?' * len(values))})"
    found: dict[int, dict[FactKind, Fact]] = defaultdict(dict)
    for case_id, kind, value, source, probability in read(
        f"SELECT case_id, kind, value, source, probability FROM facts{where}", values
    ):
        found[case_id][kind] = Fact(value, source, probability)
    return dict(found)
