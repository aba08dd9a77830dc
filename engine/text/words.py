"""Splits text into words, and puts a number with its noun. Does not know medicine or models."""

import re
import unicodedata

STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been by for from has have in is it its of on or the there this to was were which with",
    )
)

UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uac00-\ud7af]+")
"""A run of Chinese, Japanese or Korean characters: words, or names of one to three characters, with nothing between."""


def words(text: str) -> list[str]:
    """Lower-case words and numbers in any script, in order; a letter and its accent are one character (NFC)."""
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text.lower()))


def content_words(text: str) -> list[str]:
    """The words of a text without stop words and single characters, in order."""
    return [word for word in words(text) if word not in STOP_WORDS and len(word) > 1]


def shared_words(query: str, text: str, limit: int = 8) -> list[str]:
    """Content words of the query that the text also contains, in the order of the query, at most `limit`."""
    present = set(words(text))
    return [word for word in dict.fromkeys(content_words(query)) if word in present][:limit]


def spans(text: str) -> list[tuple[int, int]]:
    """The span of each word and number, [start, end) in characters."""
    return [found.span() for found in re.finditer(r"[^\W_]+", text)]


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun, such as "1 study" and "1,024 studies"; the plural is `singular` with an s by default."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"


def singular(word: str) -> str:
    """A lower-case word with its English plural ending removed."""
    for plural, single in (("thoraces", "thorax"), ("stases", "stasis"), ("noses", "nosis"), ("sses", "ss")):
        if word.endswith(plural):
            return word.removesuffix(plural) + single
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and not word.endswith("is") and len(word) > 3:
        return word[:-1]
    return word
