"""The full-text index of the reports (SQLite FTS5, Porter stems, BM25). Knows no query language of users.

SQLite keeps it by triggers (schema.py), so it never lags behind the reports.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.store.filters import ANY, Filters, condition
from engine.store.folder.local_database import LocalDatabase
from engine.store.full_text_search import PieceMatch, TextMatch
from engine.store.kept_answers import KeptAnswers
from engine.store.safety.connection import damaged
from engine.store.shared_sql import read_many

MOST_ROWS = 2**62
"""SQLite knows no higher number of rows."""
MARK_START, MARK_END = "\x02", "\x03"
"""Around each match in the text of a report; control characters that no report contains."""


class FullText:
    """The full-text index of one archive."""

    def __init__(self, database: LocalDatabase, allowed: Callable[[Filters], NDArray[np.int64] | None]) -> None:
        """`allowed` gives the ids of the cases that filters allow, int64 [N]; None for all."""
        self._read, self._allowed, self._folder = database.read, allowed, database.path.parent
        self._owners = KeptAnswers[NDArray[np.int64]](database)

    def find(self, phrases: Sequence[str], limit: int, filters: Filters = ANY) -> list[TextMatch]:
        """As FullTextSearch, ranked by BM25."""
        expression = fts_query(phrases)
        rows = self._ranked(expression, limit) if filters == ANY else self._filtered(expression, limit, filters)
        # Marking the matches is slow, so it is done for the reports that are returned only.
        marked = dict(
            self._read(
                f"SELECT rowid, highlight(reports_fts, 0, '{MARK_START}', '{MARK_END}') FROM reports_fts "
                f"WHERE reports_fts MATCH ? AND rowid IN ({', '.join(str(one[0]) for one in rows)})",
                [expression],
            )
        )
        owners = dict(
            read_many(self._read, "SELECT id, case_id FROM reports WHERE id IN ({})", [one[0] for one in rows])
        )
        there = owners.keys() & marked.keys()  # a report may be replaced or deleted between two of these questions
        return [TextMatch(owners[one], score, matched_words(marked[one])) for one, score in rows if one in there]

    def _ranked(self, expression: str, limit: int) -> list[Any]:
        """The ids and scores of the best reports, whatever their case."""
        return self._read(
            "SELECT rowid, -rank FROM reports_fts WHERE reports_fts MATCH ? ORDER BY rank, rowid LIMIT ?",
            [expression, limit],
        )

    def _filtered(self, expression: str, limit: int, filters: Filters) -> list[Any]:
        """Those of the cases that filters allow, of so many ranked reports that enough are likely to be left.

        SQLite would look up the case of every report first, which takes a second where half of 500,000 are allowed.
        """
        allowed = self._allowed(replace(filters, excluded=()))
        if allowed is not None and not len(allowed):
            return []
        owners = self._owners.of("reports", self._all_owners)
        share = 1.0 if allowed is None else len(allowed) / max(len(owners), 1)
        depth = ceil(2 * limit / max(share, 1e-9)) + len(filters.excluded)
        while True:
            rows = self._ranked(expression, min(depth, MOST_ROWS))
            ids = np.array([row[0] for row in rows], np.int64)
            cases = owners[np.where(ids < len(owners), ids, 0)]  # the case of a report that came since is not known
            kept = np.isin(cases, [*filters.excluded], invert=True)
            if allowed is not None:
                kept &= np.isin(cases, allowed)
            if np.count_nonzero(kept) >= limit or len(rows) < depth:
                return [rows[n] for n in np.flatnonzero(kept)[:limit]]
            depth *= 16

    def _all_owners(self) -> NDArray[np.int64]:
        """The case of each report: entry n for report n, int64 [n]; 0 where there is none."""
        try:
            ids, cases = (
                np.fromstring(text or "", np.int64, sep=",")
                for text in self._read("SELECT group_concat(id), group_concat(case_id) FROM reports")[0]
            )
        except ValueError:  # a text where a number belongs
            raise damaged(self._folder) from None
        owners = np.zeros(ids.max(initial=0) + 1, np.int64)
        owners[ids] = cases
        return owners

    def containing(self, pieces: Sequence[str], limit: int, filters: Filters = ANY) -> list[PieceMatch]:
        """As FullTextSearch."""
        where, values = condition(filters) or ("1", [])
        score = " + ".join("(instr(reports.text, ?) > 0)" for _ in pieces)
        rows = self._read(
            f"""SELECT * FROM (SELECT reports.case_id, {score} AS score, reports.text, reports.id
                FROM reports JOIN cases ON cases.id = reports.case_id WHERE {where})
            WHERE score > 0 ORDER BY score DESC, id LIMIT ?""",
            [*pieces, *values, limit],
        )
        return [PieceMatch(case_id, score, text) for case_id, score, text, _ in rows]


def fts_query(phrases: Sequence[str]) -> str:
    """Phrases as an FTS5 expression (https://sqlite.org/fts5.html, section 3); quoted, so that nothing is syntax."""
    return " OR ".join('"' + phrase.replace('"', "") + '"' for phrase in phrases)


def matched_words(marked: str) -> tuple[str, ...]:
    """The distinct words between the match marks, in lower case, in order of appearance."""
    return tuple(dict.fromkeys(word.lower() for word in re.findall(f"{MARK_START}(.*?){MARK_END}", marked)))
