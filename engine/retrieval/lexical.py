"""Finds reports by their words (SQLite FTS5, Porter stems, BM25). Knows no vectors.

Any words may be typed: they are quoted, so that nothing in them acts as query syntax. A part in double quotes is a
phrase. Reports with any of the words are found; BM25 puts those with more and rarer ones first.
"""

import re
from dataclasses import dataclass

from engine.archive import Archive
from engine.text.words import STOP

PHRASE = re.compile(r'"([^"]+)"|(\w+)')
OPEN, CLOSE = "\x02", "\x03"  # characters that no report contains, around each match


@dataclass(frozen=True, slots=True)
class LexicalMatch:
    """A report that contains query words. `score` is BM25, higher is better; `words` as they stand in the report."""

    case_id: int
    score: float
    words: tuple[str, ...]


def fts_query(text: str) -> str:
    """Free text as a safe FTS5 expression; "" when it holds no word. Words such as "the" count only in phrases."""
    parts: list[str] = []
    grammar: list[str] = []
    for phrase, word in PHRASE.findall(text):
        words = re.findall(r"\w+", phrase or word)
        if words:
            (grammar if word.lower() in STOP else parts).append('"' + " ".join(words) + '"')
    return " OR ".join(dict.fromkeys(parts or grammar))


def find(
    archive: Archive, text: str, limit: int, condition: str = "1", values: tuple[object, ...] = ()
) -> list[LexicalMatch]:
    """Reports with words of `text`, best first.

    Args:
        archive: where to look.
        text: what was typed.
        limit: how many at most.
        condition: SQL on the table `cases`, made by us and never by the user.
        values: its parameters.
    """
    expression = fts_query(text)
    if not expression:
        return []
    # FTS5 ranks by itself, and a join only follows for the few that are kept: joining first took most of the time.
    allowed = "" if condition == "1" else (
        f"AND rowid IN (SELECT reports.id FROM cases JOIN reports ON reports.case_id = cases.id WHERE {condition})"
    )  # fmt: skip
    rows = archive.read(
        f"""SELECT found.id, reports.case_id, found.score FROM (
                SELECT rowid AS id, -rank AS score FROM reports_fts
                WHERE reports_fts MATCH ? {allowed} ORDER BY rank, rowid LIMIT ?) AS found
            JOIN reports ON reports.id = found.id ORDER BY found.score DESC, found.id""",
        [expression, *values, limit],
    )
    # Marking the words is slow, so only the texts that are shown are marked.
    marks = ", ".join(str(row[0]) for row in rows)
    marked = dict(
        archive.read(
            f"SELECT rowid, highlight(reports_fts, 0, '{OPEN}', '{CLOSE}') FROM reports_fts "
            f"WHERE reports_fts MATCH ? AND rowid IN ({marks})",
            [expression],
        )
    )
    return [LexicalMatch(case_id, score, matched_words(marked[report_id])) for report_id, case_id, score in rows]


def matched_words(marked: str) -> tuple[str, ...]:
    """The distinct words between the match marks, in lower case, in order of appearance."""
    return tuple(dict.fromkeys(word.lower() for word in re.findall(f"{OPEN}(.*?){CLOSE}", marked)))
