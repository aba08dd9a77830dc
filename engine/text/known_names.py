"""Finds the names and numbers that a header states in a text, in any script and Unicode form. Knows no other patterns.

Text and names are compared without case, accents, width and vowel marks: "MUELLER", "Müller" and "mu\u0308ller" are one
name, and so are "Jean-Luc" and "jean luc". Each word of a name is found by itself, short ones only beside each other.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from engine.text.name_words import DEPARTMENTS, METHODS, NOT_NAMES, ORDINARY, PLACE_WORDS, flat
from engine.text.words import UNSPACED

_LETTERS = {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ى": "ي", "ـ": ""}
"""Letters that Unicode does not decompose."""
CYRILLIC, SEMITIC = re.compile(r"[\u0400-\u04ff]"), re.compile(r"[\u0590-\u06ff]")
CYRILLIC_ENDING = re.compile("[аеиоуыэюяйь]{1,2}$")
PREFIX = "(?:[والبلكف]{0,3}|[הובלכמש]{0,2})"
"""Article, conjunction and prepositions that Arabic and Hebrew write in one word with a name."""
JOINT = r"[\s,^./'’_-]{0,3}"
"""What may stand between the words of a name."""
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_INSTITUTION = "institution:"


def institution(name: str) -> str:
    """The name of an institution or a department, marked as that for `known_spans`: it may be "MRI" or "Cardiology"."""
    return _INSTITUTION + name


def known_spans(text: str, known: Iterable[str]) -> list[tuple[int, int]]:
    """Spans [start, end) of the known identifiers in a text, in order and apart.

    Args:
        text: in NFC.
        known: names in DICOM form ("Doe^Jane", groups separated by "=", PS3.5 6.2), names marked by `institution`,
            numbers. Words of three characters or more are found by themselves, shorter ones where two stand together,
            and words that are also ordinary ones ("White"), or of an institution, where they are capitalized. Clinical
            words of an institution are not looked for.
    """
    anyhow: set[str] = set()
    capitalized: set[str] = set()
    for value in known:
        for pattern, ordinary in _patterns(value):
            (capitalized if ordinary else anyhow).add(pattern)
    if not anyhow and not capitalized:
        return []
    plain, at = _folded(text)
    spans = [(at[one.start()], at[one.end()]) for one in _finder(frozenset(anyhow)).finditer(plain)]
    for match in _finder(frozenset(capitalized)).finditer(plain):
        if not text[at[match.start()]].islower():  # digits and most scripts have no case
            spans.append((at[match.start()], at[match.end()]))
    return apart(spans)


def apart(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans [start, end) in order, those that overlap as one, and without empty ones."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > start:
            found.append((start, end))
    return found


@lru_cache(maxsize=64)
def _finder(patterns: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(patterns, key=lambda one: (-len(one), one))
    return re.compile("|".join(longest_first) or r"(?!)")


def fold(character: str) -> str:
    """A character without case, accent, width and vowel marks; "" for a mark."""
    decomposed = unicodedata.normalize("NFKD", character)
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return "".join(_LETTERS.get(one, one) for one in unicodedata.normalize("NFC", bare).casefold())


def _folded(text: str) -> tuple[str, list[int] | range]:
    """The text folded, and for each of its characters, and its end, where it was."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    folded: list[str] = []
    at: list[int] = []
    for index, character in enumerate(text):
        piece = character.lower() if character.isascii() else fold(character)
        folded.append(piece)
        at += [index] * len(piece)
    return "".join(folded), [*at, len(text)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Words that are removed where they stand together, or one that is removed by itself."""

    words: tuple[str, ...]
    ordinary: bool = False
    """Whether the word is an ordinary one too, which is a name only where it is capitalized."""


def wanted(value: str) -> Iterator[Wanted]:
    """What is looked for of one value."""
    named_so = value.startswith(_INSTITUTION)
    for group in unicodedata.normalize("NFC", value.removeprefix(_INSTITUTION)).split("="):
        parts = re.split(r"[\^\s,\\/]+" if named_so else r"[\^\s,\\]+", group)
        names = [name for name in parts if any(map(str.isalnum, name))]  # "----" would be found in every ". "
        place = named_so or ("^" not in group and any(flat(name.strip(".")) in PLACE_WORDS for name in names))
        clinical = NOT_NAMES | DEPARTMENTS if place else frozenset[str]()
        if place and len(names) > 1 and not all(flat(name.strip(".")) in clinical for name in names):
            yield Wanted(tuple(names))
        skipped = PLACE_WORDS | METHODS | clinical
        words = [part for name in names for part in dict.fromkeys((name, *_parts_of(name)))]
        for word in words:
            plain = flat(word)
            if plain in skipped or (place and len(names) > 1 and len(word) < 4):
                continue
            if len(word) >= (2 if UNSPACED.search(word) else 3):
                yield Wanted((word,), named_so or plain in NOT_NAMES or plain in ORDINARY)
        for pair in permutations(names[:3], 2):
            unspaced = UNSPACED.search("".join(pair)) is not None
            if pair[0] != pair[1] and sum(map(len, pair)) >= (2 if unspaced else 4) and not place:
                yield Wanted(pair)


def _patterns(value: str) -> Iterator[tuple[str, bool]]:
    """Patterns of what is removed for one value, each with whether its word is an ordinary one too."""
    for one in wanted(value):
        unspaced = UNSPACED.search("".join(one.words)) is not None
        if len(one.words) == 1:
            yield _alone(one.words[0], unspaced), one.ordinary
        elif unspaced:
            yield r"[\s,^]{0,3}".join(map(_word, one.words)), False
        else:
            yield _START + JOINT.join(map(_word, one.words)) + _END, False


def _parts_of(name: str) -> list[str]:
    """The parts of a hyphenated name."""
    parts = re.split(r"[-‐‑–]", name)
    return parts if len(parts) > 1 and not any(map(str.isdigit, name)) else []


def _alone(word: str, unspaced: bool) -> str:
    """The pattern of one word by itself, with the endings and prefixes of its language."""
    if unspaced:
        return _word(word)
    if CYRILLIC.search(word) and len(word) >= 4:
        return _START + _word(CYRILLIC_ENDING.sub("", word)) + r"\w{0,3}" + _END
    if SEMITIC.search(word):
        return _START + PREFIX + _word(word) + _END
    ending = r"(?:['’]?s)?" if len(word) >= 5 and word.isalpha() else ""
    return _START + _word(word) + ending + _END


def _word(word: str) -> str:
    """The pattern of a word in folded text: "ü" is written u or ue, an apostrophe or hyphen may be absent."""
    pattern = ""
    for character in word:
        folded = "".join(map(fold, character))
        if character in "'’`´-‐‑–.":
            pattern += r"['’.\s-]?"
        elif character.lower() in "äöüøå":
            pattern += folded + "[ea]?"
        elif folded == "e" and pattern.endswith(("a", "o", "u")):
            pattern += "e?"
        else:
            pattern += re.escape(folded)
    return pattern
