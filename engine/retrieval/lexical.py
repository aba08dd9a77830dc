"""Finds reports by their words. Knows no vectors and no index; the archive has the full-text index.

Users may type any text: words are quoted, so that nothing in them acts as query syntax. Text in double quotes is a
phrase. Reports with any of the words are found; BM25 ranks those with more and rarer words first. A query in a script
without spaces is cut into pairs of characters, and reports with more of them come first.
"""

import re
import unicodedata
from dataclasses import dataclass

from engine.archive import Archive
from engine.store.filters import ANY, Filters
from engine.store.full_text import MARK_END, MARK_START
from engine.text.words import STOP_WORDS, UNSPACED

MOST_PAIRS = 100
"""Of a longer query the first ones are searched for."""
PHRASE = re.compile(r'"([^"]+)"|(\w+)')


@dataclass(frozen=True, slots=True)
class LexicalMatch:
    """A report that contains words of the query."""

    case_id: int
    score: float
    """BM25, or the number of pairs of characters; higher is better."""
    words: tuple[str, ...]
    """The matching words as they are in the report, in lower case."""


def fts_query(text: str) -> str:
    """Free text as a safe FTS5 expression; "" when it contains no word. Stop words count only in phrases."""
    parts: list[str] = []
    stop_words: list[str] = []
    for phrase, word in PHRASE.findall(text):
        words = re.findall(r"\w+", phrase or word)
        if words:
            (stop_words if word.lower() in STOP_WORDS else parts).append('"' + " ".join(words) + '"')
    return " OR ".join(dict.fromkeys(parts or stop_words))


def character_pairs(text: str) -> list[str]:
    """The pairs of neighbouring characters in the parts of a text without spaces; one alone is itself a part."""
    runs = UNSPACED.findall(text)
    return list(dict.fromkeys(run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))))


def find(archive: Archive, text: str, limit: int, filters: Filters = ANY) -> list[LexicalMatch]:
    """At most `limit` reports with words of `text`, best first."""
    text = unicodedata.normalize("NFC", text)
    if pairs := character_pairs(text)[:MOST_PAIRS]:
        pieces = archive.full_text.containing(pairs, limit, filters)
        return [LexicalMatch(one.case_id, one.score, tuple(p for p in pairs if p in one.text)) for one in pieces]
    expression = fts_query(text)
    if not expression:
        return []
    found = archive.full_text.find(expression, limit, filters)
    return [LexicalMatch(match.case_id, match.score, matched_words(match.marked)) for match in found]


def matched_words(marked: str) -> tuple[str, ...]:
    """The distinct words between the match marks, in lower case, in order of appearance."""
    return tuple(dict.fromkeys(word.lower() for word in re.findall(f"{MARK_START}(.*?){MARK_END}", marked)))
