"""Removes names, numbers and dates from free text by pattern matching. Does not know DICOM or the archive.

The result is NOT anonymous: patterns miss unusual spellings, and a rare disease or a history may identify a person.
Measurements (3 cm, 2.5 x 4 mm), sequences (T2), levels (L4-L5), grades and ages are kept.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations

from engine.text.words import UNSPACED

WARNING = (
    "Names, numbers and dates are removed from reports by pattern matching, which may miss some. "
    "Handle the archive as patient data."
)

MONTH = (  # "may" and "march" are also verbs, so those months need their capital
    r"(?:May|MAY|Mar(?:ch)?|MAR(?:CH)?|(?i:jan(?:uary)?|feb(?:ruary)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\.?"
)
WORD = r"[A-Z][\w'’-]+"
NAME = rf"(?:{WORD}|[A-Z]\.)(?:[ ,]+(?:(?:van|von|de|der|del|la|bin|al)\s+)?(?:{WORD}|[A-Z]\.)){{0,3}}"

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[e-mail]", re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")),
    ("[name]", re.compile(r"\b[A-Za-z'’-]+(?:\^[A-Za-z'’-]*)+")),
    ("[date]", re.compile(r"\b(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])\b")),
    ("[date]", re.compile(r"\b(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)\b")),
    ("[date]", re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{MONTH}(?:[ ,-]+(?:19|20)\d\d)?\b")),
    ("[date]", re.compile(rf"\b{MONTH}[ -]\d{{1,2}}(?:st|nd|rd|th)?(?:,? (?:19|20)\d\d)?\b(?! ?(?:mm|cm|x))")),
    ("[date]", re.compile(rf"\b{MONTH},? (?:19|20)\d\d\b")),
    ("[date]", re.compile(r"\b(?:0?[1-9]|1[0-2])/(?:19|20)\d\d\b")),
    ("[time]", re.compile(r"\b(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\b\.?)?", re.IGNORECASE)),
    ("[number]", re.compile(r"(?<![\w.])\+\d[\d ()/-]{7,}\d\b")),
    ("[number]", re.compile(r"(?<![\w.])(?:\(\d{3}\) ?|\d{3}[- ])\d{3}[- ]\d{4}\b")),
    ("[number]", re.compile(r"\b\d{3}-\d{2}-\d{4}\b")),
    ("[number]", re.compile(r"(?<![\w.])(?:\d+\.){4,}\d+\b")),  # a UID
    ("[number]", re.compile(r"(?<![\w.,])\d{6,}\b(?![.,]\d)")),
)
_LABELED = re.compile(
    r"\b(?P<label>(?:patient|pt|medical record|mrn|accession|acc|hospital|case|insurance|nhs|ssn|study|exam|order)"
    r"(?:[ -]?(?:id|no|nr|number|record number))?\.? ?[:#=] ?)(?P<value>[A-Z]{0,4}[-/]?\d[\w/-]*)",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    rf"\b(?P<label>(?i:patient(?: name)?|pt name|name|physician|radiologist|referrer|referring (?:physician|doctor)|"
    rf"reported by|dictated by|signed(?: by)?|electronically signed by|approved by|verified by|read by|interpreted by)"
    rf" ?(?::|(?<=by)) ?)(?P<value>(?!\[)(?:(?i:dr|prof|mr|mrs|ms)\.? ?)*{NAME})"
)
_TITLED = re.compile(
    rf"\b(?P<label>(?:Dr|DR|Prof|Mr|MR|Mrs|MRS|Ms|MS|Miss|Mister|Doctor|Professor)(?:\. ?| ))(?P<value>{NAME})"
)
_MR = re.compile(
    r"^(?:MR|MRS|MS)(?:\. ?| )$"
)  # also magnetic resonance (spectroscopy), multiple sclerosis: "MR Angiography"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without the identifiers that were found."""

    text: str
    """With placeholders such as [name] and [date]."""
    removed: int
    """Number of placeholders inserted."""


def clean(text: str, known: Iterable[str] = ()) -> Cleaned:
    """Replace identifiers with placeholders, and bring the text to one Unicode form (NFC).

    Args:
        text: free text of a report or a description.
        known: identifiers of this patient: name in DICOM form ("Doe^Jane"), Patient ID, accession number. Each of their
            parts of three characters or more is removed wherever it occurs as a word, and shorter ones where two of
            them stand together.
    """
    text, removed = unicodedata.normalize("NFC", text), 0

    def keep_label(match: re.Match[str]) -> str:
        if _MR.match(match["label"]):
            return match[0]
        nonlocal removed
        removed += 1
        kind = "[number]" if any(character.isdigit() for character in match["value"]) else "[name]"
        return match["label"] + kind

    if parts := {part for value in known for part in _parts(unicodedata.normalize("NFC", value))}:
        longest_first = sorted(parts, key=len, reverse=True)
        text, count = re.subn("|".join(longest_first), "[name]", text, flags=re.IGNORECASE)
        removed += count
    for placeholder, pattern in _RULES:
        text, count = pattern.subn(placeholder, text)
        removed += count
    for pattern in (_LABELED, _PEOPLE, _TITLED):
        text = pattern.sub(keep_label, text)
    return Cleaned(text, removed)


def _parts(value: str) -> Iterator[str]:
    """Patterns of what is removed for one known identifier: its longer parts, and two of its parts together.

    The groups of a name (alphabetic, ideographic, phonetic) are separated by "=", its components by "^" (DICOM PS3.5,
    6.2).
    """
    for group in value.split("="):
        names = [name for name in re.split(r"[\^\s]+", group) if name]
        together = [parts for parts in permutations(names[:3], 2) if parts[0] != parts[1]]
        for parts in [*zip(names), *together]:
            spaced = not UNSPACED.search("".join(parts))
            if sum(map(len, parts)) >= (len(parts) + 2 if spaced else 2):
                pattern = r"[\s,^]*".join(map(re.escape, parts))
                yield rf"(?<!\w){pattern}(?!\w)" if spaced else pattern
