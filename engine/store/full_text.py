"""The full-text index of the reports (SQLite FTS5, Porter stems, BM25). Knows no query language of users.

SQLite keeps it by triggers (schema.py), so it never lags behind the reports.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.filters import ANY, Filters, condition

MARK_START, MARK_END = "\x02", "\x03"
"""Around each match in the text of a report; control characters that no report contains."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A report that matches an FTS5 expression."""

    case_id: int
    score: float
    """BM25, higher is better."""
    marked: str
    """The text of the report with MARK_START and MARK_END around each match."""


@dataclass(frozen=True, slots=True)
class PieceMatch:
    """A report that contains pieces of text."""

    case_id: int
    score: int
    """How many of the pieces."""
    text: str
    """Of the report."""


class FullText:
    """The full-text index of one archive."""

    def __init__(self, read: Callable[..., list[Any]]) -> None:
        self._read = read

    def find(self, expression: str, limit: int, filters: Filters = ANY) -> list[TextMatch]:
        """The reports that match best, best first.

        Args:
            expression: FTS5 query syntax (https://sqlite.org/fts5.html), section 3; never as a user typed it.
            limit: how many at most.
            filters: which cases may be found; `kinds` is ignored.
        """
        # FTS5 ranks by itself, and a join only follows for the few that are kept: joining first took most of the time.
        where = condition(filters)
        allowed, values = "", list[object]()
        if where is not None:
            values = where[1]
            # The plus keeps SQLite from asking the full-text index anew for each report that is allowed.
            allowed = f"""AND +rowid IN (
                SELECT reports.id FROM cases JOIN reports ON reports.case_id = cases.id WHERE {where[0]})"""
        rows = self._read(
            f"""SELECT found.id, reports.case_id, found.score FROM (
                    SELECT rowid AS id, -rank AS score FROM reports_fts
                    WHERE reports_fts MATCH ? {allowed} ORDER BY rank, rowid LIMIT ?) AS found
                JOIN reports ON reports.id = found.id ORDER BY found.score DESC, found.id""",
            [expression, *values, limit],
        )
        # Marking the matches is slow, so it is done for the reports that are returned only.
        ids = ", ".join(str(row[0]) for row in rows)
        marked = dict(
            self._read(
                f"SELECT rowid, highlight(reports_fts, 0, '{MARK_START}', '{MARK_END}') FROM reports_fts "
                f"WHERE reports_fts MATCH ? AND rowid IN ({ids})",
                [expression],
            )
        )
        return [TextMatch(case_id, score, marked[report_id]) for report_id, case_id, score in rows]

    def containing(self, pieces: Sequence[str], limit: int, filters: Filters = ANY) -> list[PieceMatch]:
        """The reports that contain the most of some pieces of text, wherever these are, best first.

        Reads every report. It is for scripts without spaces, of which FTS5 takes a whole run of characters as one word.

        Args:
            pieces: at most 1,000.
            limit: how many reports at most.
            filters: which cases may be found; `kinds` is ignored.
        """
        where, values = condition(filters) or ("1", [])
        score = " + ".join("(instr(reports.text, ?) > 0)" for _ in pieces)
        rows = self._read(
            f"""SELECT * FROM (SELECT reports.case_id, {score} AS score, reports.text, reports.id
                FROM reports JOIN cases ON cases.id = reports.case_id WHERE {where})
            WHERE score > 0 ORDER BY score DESC, id LIMIT ?""",
            [*pieces, *values, limit],
        )
        return [PieceMatch(case_id, score, text) for case_id, score, text, _ in rows]
