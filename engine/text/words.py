"""Plain words of a text. Knows no medicine and no models."""

import re

STOP = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been by for from has have in is it its of on or the there this to was were which with",
    )
)


def words(text: str) -> list[str]:
    """Lower-case words and numbers, in order."""
    return re.findall(r"[a-z0-9]+", text.lower())


def content_words(text: str) -> list[str]:
    """Words that carry meaning: no articles, prepositions, auxiliaries, single letters."""
    return [word for word in words(text) if word not in STOP and len(word) > 1]


def shared_words(query: str, text: str, limit: int = 8) -> list[str]:
    """Content words of the query that the text contains too, in the query's order."""
    there = set(words(text))
    return [word for word in dict.fromkeys(content_words(query)) if word in there][:limit]


def spans(text: str) -> list[tuple[int, int]]:
    """Where each word and number stands, [start, end) in characters."""
    return [found.span() for found in re.finditer(r"[^\W_]+", text)]


def singular(word: str) -> str:
    """Plural and singular of a lower-case word as one."""
    for plural, single in (("thoraces", "thorax"), ("stases", "stasis"), ("noses", "nosis"), ("sses", "ss")):
        if word.endswith(plural):
            return word.removesuffix(plural) + single
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and not word.endswith("is") and len(word) > 3:
        return word[:-1]
    return word
