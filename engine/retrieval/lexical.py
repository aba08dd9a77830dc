"""Finds reports by their words. Knows no vectors and no index; the archive has the full-text index.

Users may type any text: words are quoted, so that nothing in them acts as query syntax. Text in double quotes is a
phrase. Reports with any of the words are found; BM25 ranks those with more and rarer words first. A query in a script
without spaces is cut into pairs of characters, and reports with more of them come first.
"""

import re
import unicodedata

from engine.archive import Archive
from engine.store.filters import ANY, Filters
from engine.store.full_text_search import TextMatch
from engine.text.words import STOP_WORDS, UNSPACED

MOST_PAIRS = 100
"""Of a longer query the first ones are searched for."""
PHRASE = re.compile(r'"([^"]+)"|(\w+)')


def phrases_of(text: str) -> list[str]:
    """The words of free text, and what is in double quotes as one. Stop words count only in phrases, or alone."""
    found: list[str] = []
    stop_words: list[str] = []
    for phrase, word in PHRASE.findall(text):
        words = re.findall(r"\w+", phrase or word)
        if words:
            (stop_words if word.lower() in STOP_WORDS else found).append(" ".join(words))
    return list(dict.fromkeys(found or stop_words))


def character_pairs(text: str) -> list[str]:
    """The pairs of neighbouring characters in the parts of a text without spaces; one alone is itself a part."""
    runs = UNSPACED.findall(text)
    return list(dict.fromkeys(run[i : i + 2] for run in runs for i in range(max(1, len(run) - 1))))


def find(archive: Archive, text: str, limit: int, filters: Filters = ANY) -> list[TextMatch]:
    """At most `limit` reports with words of `text`, best first; of pairs of characters, as many as they have."""
    text = unicodedata.normalize("NFC", text)
    if pairs := character_pairs(text)[:MOST_PAIRS]:
        pieces = archive.full_text.containing(pairs, limit, filters)
        return [TextMatch(one.case_id, one.score, tuple(p for p in pairs if p in one.text)) for one in pieces]
    phrases = phrases_of(text)
    return archive.full_text.find(phrases, limit, filters) if phrases else []
