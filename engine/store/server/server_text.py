"""The full-text search of the reports on a server: Porter stems as in the folder, ranked by PostgreSQL. Knows no query.

PostgreSQL ranks by how often and how near to each other words are, not by how rare they are. So reports with all words
come first, then those with any.
"""

from collections.abc import Sequence

from engine.store.filters import ANY, Filters, condition
from engine.store.full_text_search import PieceMatch, TextMatch
from engine.store.server.server_database import ServerDatabase
from engine.text.words import words as words_of

RANKED = """SELECT reports.case_id, ts_rank_cd(words, query, 1), reports.text, reports.id
    FROM reports JOIN cases ON cases.id = reports.case_id, CAST(? AS tsquery) AS query
    WHERE words @@ query AND {} ORDER BY 2 DESC, reports.id LIMIT ?"""
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
        where, values = condition(filters) or ("true", [])
        asked = [row[0] for row in self._read(QUERY, [list(phrases)]) if row[0]]
        if not asked:
            return []
        found: dict[int, TextMatch] = {}
        words = " | ".join(dict.fromkeys(word for one in asked for word in one.replace("<->", " ").split()))
        for every in (" & ", " | ") if len(asked) > 1 else (" | ",):
            query = every.join(f"({one})" for one in asked)
            for case_id, score, text, _ in self._read(RANKED.format(where), [query, *values, limit]):
                if case_id not in found:
                    bonus = 1.0 if every == " & " else 0.0
                    found[case_id] = TextMatch(case_id, score + bonus, self._matching(text, words))
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    def _matching(self, text: str, words: str) -> tuple[str, ...]:
        there = list(dict.fromkeys(words_of(text)))
        matching = {row[0] for row in self._read(MATCHING, [there, words])}
        return tuple(word for word in there if word in matching)

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
