"""The full-text search of the reports on a server: Porter stems as in the folder, ranked by PostgreSQL. Knows no query.

PostgreSQL ranks by how often and how near to each other words are, not by how rare they are. So reports with all words
come first, then those with any.
"""

from collections.abc import Sequence
from itertools import chain

from engine.store.filters import ANY, Filters, condition
from engine.store.full_text_search import PieceMatch, TextMatch
from engine.store.server.server_database import ServerDatabase
from engine.text.words import words as words_of

RANKED = """SELECT case_id, ts_rank_cd(words, query, 1), text, id
    FROM reports, CAST(? AS tsquery) AS query WHERE words @@ query AND {} ORDER BY 2 DESC, id LIMIT ?"""
ALLOWED = "(SELECT {} FROM cases WHERE cases.id = reports.case_id)"
"""Looked up for the reports that match: a join would read every case that the filters allow."""
QUERY = "SELECT phraseto_tsquery('reports', plain(phrase))::text FROM unnest(CAST(? AS text[])) AS phrase"
"""One row a phrase, in their order; "" for one without a word."""
MATCHING = (
    "SELECT word FROM unnest(CAST(? AS text[])) AS word WHERE to_tsvector('reports', plain(word)) @@ CAST(? AS tsquery)"
)


class ServerText:
    """The full-text search of one archive."""

    def __init__(self, database: ServerDatabase) -> None:
        self._read = database.read

    def find(self, phrases: Sequence[str], limit: int, filters: Filters = ANY) -> list[TextMatch]:
        """As FullTextSearch, ranked by PostgreSQL's `ts_rank_cd`; those with all phrases first."""
        allowed = condition(filters)
        where, values = ("true", []) if allowed is None else (ALLOWED.format(allowed[0]), allowed[1])
        asked = [row[0] for row in self._read(QUERY, [list(phrases)]) if row[0]]
        if not asked:
            return []
        found: dict[int, tuple[float, str]] = {}
        words = " | ".join(dict.fromkeys(word for one in asked for word in one.replace("<->", " ").split()))
        for every in (" & ", " | ") if len(asked) > 1 else (" | ",):
            query = every.join(f"({one})" for one in asked)
            for case_id, score, text, _ in self._read(RANKED.format(where), [query, *values, limit]):
                found.setdefault(case_id, (score + (every == " & "), text))
            if len(found) >= limit:
                break
        there = {case_id: dict.fromkeys(words_of(text)) for case_id, (_, text) in [*found.items()][:limit]}
        matching = {row[0] for row in self._read(MATCHING, [sorted({*chain(*there.values())}), words])}
        return [
            TextMatch(case_id, found[case_id][0], tuple(word for word in own if word in matching))
            for case_id, own in there.items()
        ]

    def containing(self, pieces: Sequence[str], limit: int, filters: Filters = ANY) -> list[PieceMatch]:
        """As FullTextSearch."""
        where, values = condition(filters) or ("true", [])
        score = " + ".join("(strpos(reports.text, ?) > 0)::int" for _ in pieces)
        rows = self._read(
            f"""SELECT * FROM (SELECT reports.case_id, {score} AS score, reports.text, reports.id
                FROM reports JOIN cases ON cases.id = reports.case_id WHERE {where}) AS found
            WHERE score > 0 ORDER BY score DESC, id LIMIT ?""",
            [*pieces, *values, limit],
        )
        return [PieceMatch(case_id, score, text) for case_id, score, text, _ in rows]
