"""Finds the best rows of a server by inner product, and by what else speaks for their cases. Knows no index by name.

Where an index may be read, its rows come by inner product, a step at a time, until none further along could be among
the best: the facts of a case add at most `most_of`. What facts could still lift beyond that is read in a second scan
of such rows only. Where few cases are allowed, all of their vectors are compared instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from engine.store.case import Kind
from engine.store.fact_bonus import FactBonus
from engine.store.server.bonus_levels import Part, bonus_sql, facts_above, most_of, top_level
from engine.store.server.server_database import ServerConnection, in_psycopg
from engine.store.shared_sql import StoredVector

PROBES = 30
"""Lists that are read at first; recall@10 is above .98 of a million (docs/benchmarks.md)."""
WIDER = 4
"""How many times as many lists are read for what facts could lift, where that is too many cases."""
FEW = 5
"""Cases for each list up to which all their vectors are compared: about as quick as reading lists for so few."""
FEW_OF_MANY = 100
"""The same for what facts could lift, which may be in any list."""
DEEP = 2_000
"""Rows after which only those are read that facts could lift."""
# The order of the index, and each row joined by keys: the planner knows neither inner products nor bonuses.
SETTINGS = {
    **dict.fromkeys(
        ("enable_sort", "enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"), "off"
    ),
    "max_parallel_workers_per_gather": "0",
    "ivfflat.iterative_scan": "relaxed_order",
    "ivfflat.probes": str(PROBES),
}
OF_INDEX = """SELECT embeddings.id, embeddings.case_id, -(vector::halfvec({length}) <#> ?) AS product, {bonus}
    FROM embeddings{join}
    WHERE embeddings.kind = '{kind}' AND embeddings.bundle_id = {bundle_id} AND {where}
    ORDER BY vector::halfvec({length}) <#> ?"""
OF_ALL = """WITH allowed AS MATERIALIZED (
        SELECT embeddings.id, embeddings.case_id, -(vector <#> ?) AS product, {bonus} AS bonus
        FROM embeddings{join} WHERE embeddings.kind = '{kind}' AND {where})
    (SELECT allowed.*, (SELECT count(*) FROM allowed) FROM allowed ORDER BY product + bonus DESC, id LIMIT ?)
    UNION (SELECT allowed.*, (SELECT count(*) FROM allowed) FROM allowed ORDER BY product DESC, id LIMIT ?)"""
EVERY: Part = ("true", [])


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for. The lengths of vector and bonus are those of the weights, divided by one number."""

    kind: Kind
    query: StoredVector
    """Weights, float16 [D]."""
    where: Part
    """SQL on `cases`."""
    bonus: FactBonus
    count: int
    nearest: int

    def ranked(self, rows: Sequence[Any]) -> list[Any]:
        """The best `count` by both, then the `nearest` ones by inner product alone that are not among them."""
        best = sorted(rows, key=lambda row: (-row[2] - row[3], row[0]))[: self.count]
        near = sorted(rows, key=lambda row: (-row[2], row[0]))[: self.nearest] if self.bonus else []
        return [*best, *(row for row in near if row not in best)]


@dataclass(slots=True)
class Found:
    """Rows so far, by embedding id: id, case id, inner product, bonus."""

    rows: dict[int, Any] = field(default_factory=dict)
    all: bool = False
    """No other vector is allowed."""

    def least(self, count: int) -> float:
        """What a row must exceed to be among the best; minus infinity while there are fewer."""
        if len(self.rows) < count or not count:
            return -inf
        return float(np.partition([row[2] + row[3] for row in self.rows.values()], -count)[-count])


def scan_all(db: ServerConnection, asked: Question, where: Part) -> Found:
    """The best rows, with the vectors of all allowed cases compared."""
    bonus, weights, join = bonus_sql(asked.bonus)
    values = [asked.query, *weights, *where[1], asked.count, asked.nearest if asked.bonus else 0]
    rows = db.execute(
        OF_ALL.format(bonus=bonus, join=_join(where) + join, kind=asked.kind, where=where[0]), values
    ).fetchall()
    return Found({row[0]: row[:4] for row in rows}, not rows or rows[0][4] == len(rows))


def scan_lists(db: ServerConnection, asked: Question, bundle_id: str, lists: int) -> Found:
    """The best rows, with some lists of the index read; in a transaction, for which settings are changed."""
    _set(db, SETTINGS)
    found, most = Found(), most_of(asked.bonus)
    last = _read_lists(db, asked, bundle_id, found, -inf, most)
    # What was left out has at most the inner product `last` and the bonus `most`. Cases with the highest bonus come
    # first, wherever they are, since what is found of them raises what the rest would have to exceed: so much that it
    # is near the query.
    for number, level in enumerate((top_level(asked.bonus), -inf)):
        missed = found.least(asked.count) - last
        if missed >= most:
            break
        above = max(level, missed)
        needed = facts_above(asked.bonus, above)
        if needed and not number and min(expected(db, one) for one in needed) < FEW_OF_MANY * lists:
            found.rows |= scan_all(db, asked, _and(asked.where, *needed)).rows
        else:
            read = str(min(lists, PROBES if number else WIDER * PROBES))
            _set(db, {"ivfflat.probes": read, "ivfflat.max_probes": read})
            _read_lists(db, asked, bundle_id, found, above, most)
        most = above
    return found


def _read_lists(
    db: ServerConnection, asked: Question, bundle_id: str, found: Found, above: float, most: float
) -> float:
    """Add rows with a bonus above this, until none with one up to `most` could be among the best.

    With no limit below, no more than DEEP are read. Returns the inner product of the last one.
    """
    bonus, weights, join = bonus_sql(asked.bonus)
    text = OF_INDEX.format(
        length=len(asked.query) // 2,
        bonus=bonus,
        join=_join(asked.where) + join,
        kind=asked.kind,
        bundle_id=sql.Literal(bundle_id).as_string(db.connection),
        where=asked.where[0] if above == -inf else f"{asked.where[0]} AND {bonus} > ?",
    )
    limit = [] if above == -inf else [*weights, above]
    step, seen = asked.count + 1, 0
    with psycopg.ServerCursor(db.connection, "nearest") as cursor:
        cursor.execute(in_psycopg(text), [asked.query, *weights, *asked.where[1], *limit, asked.query], binary=True)
        while True:
            rows = cursor.fetchmany(step)
            seen += len(rows)
            found.rows |= {row[0]: row for row in rows}
            if len(rows) < step:
                found.all |= above == -inf
                return -inf
            if found.least(asked.count) - rows[-1][2] >= most or (above == -inf and seen >= DEEP):
                return float(rows[-1][2])


def _set(db: ServerConnection, settings: Mapping[str, str]) -> None:
    """Change settings until the end of the transaction."""
    changes = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    db.execute(f"SELECT {changes}")


def expected(db: ServerConnection, where: Part) -> int:
    """About how many cases a condition allows, as the planner expects."""
    plan = db.execute(f"EXPLAIN (FORMAT JSON) SELECT 1 FROM cases WHERE {where[0]}", where[1]).fetchone()[0]
    return int(plan[0]["Plan"]["Plan Rows"])


def _join(where: Part) -> str:
    return "" if where is EVERY else " JOIN cases ON cases.id = embeddings.case_id"


def _and(*parts: Part) -> Part:
    return " AND ".join(part[0] for part in parts), [value for part in parts for value in part[1]]
