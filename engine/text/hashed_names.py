"""Finds names and numbers of a header in a text by hashes, since an archive keeps no name. Knows no hash function.

Names and texts are brought to one spelling: without case, accents, marks and spaces, and with "ae", "oe" and "ue" as
"a", "o" and "u". What known_names.py allows by patterns (endings, articles written in one word with a name, parts of
hyphenated names) is tried here as several spellings of a word of the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from engine.text.known_names import CYRILLIC, CYRILLIC_ENDING, JOINT, PREFIX, SEMITIC, apart, fold, wanted
from engine.text.words import UNSPACED

_LONGEST = 6
"""The most pieces of a text that may be one name, such as that of a hospital."""
_UNSPACED_LONGEST = 8
_JOINED = re.compile(JOINT)
_PREFIXED = re.compile(f"({PREFIX})(.+)")
_CAPITAL = "capitalized "
"""Before a spelling that is a name only where its word is capitalized in the text."""


def spellings(known: Iterable[str]) -> frozenset[str]:
    """What to hash of the names and numbers of a header; `known` as in `known_spans`."""
    found: set[str] = set()
    for value in known:
        for one in wanted(value):
            plain = _plain("".join(one.words))
            if len(one.words) == 1 and len(plain) >= 4 and CYRILLIC.search(plain):
                plain = CYRILLIC_ENDING.sub("", plain)
            found.add(_CAPITAL + plain if one.ordinary else plain)
    return frozenset(found)


def named_spans(text: str, is_name: Callable[[str], bool]) -> list[tuple[int, int]]:
    """Spans [start, end) of such names in a text, in order and apart.

    Args:
        text: in NFC.
        is_name: whether a spelling is among those of the header, as its hash tells.
    """
    spans: list[tuple[int, int]] = []
    pieces = [(*one.span(), _plain(one.group())) for one in re.finditer(r"[^\W_]+", text)]
    for first, (start, end, plain) in enumerate(pieces):
        capital = not text[start].islower()
        if any(is_name(one) or (capital and is_name(_CAPITAL + one)) for one in _variants(plain)):
            spans.append((start, end))
        for last in range(first + 1, min(first + _LONGEST, len(pieces))):
            if not _JOINED.fullmatch(text[pieces[last - 1][1] : pieces[last][0]]):
                break
            plain += pieces[last][2]
            if any(is_name(one) or (capital and is_name(_CAPITAL + one)) for one in _endings(plain)):
                spans.append((start, pieces[last][1]))
    for run in UNSPACED.finditer(text):
        for start in range(*run.span()):
            for end in range(start + 2, min(start + _UNSPACED_LONGEST, run.end()) + 1):
                if is_name(_plain(text[start:end])):
                    spans.append((start, end))
    return apart(spans)


def _plain(word: str) -> str:
    """Letters and digits of a word in one spelling."""
    folded = "".join(map(fold, word))
    return re.sub("(?<=[aou])e|(?<=a)a", "", "".join(filter(str.isalnum, folded)))


def _variants(plain: str) -> Iterator[str]:
    """The spellings that a word of a text may have in a header."""
    yield from _endings(plain)
    if CYRILLIC.search(plain):
        yield from (plain[: len(plain) - cut] for cut in range(1, 4) if len(plain) - cut >= 2)
    elif SEMITIC.search(plain) and (found := _PREFIXED.fullmatch(plain)):
        yield from (plain[cut:] for cut in range(1, len(found[1]) + 1))


def _endings(plain: str) -> Iterator[str]:
    yield plain
    if len(plain) > 5 and plain.isalpha() and plain.endswith("s"):
        yield plain[:-1]
