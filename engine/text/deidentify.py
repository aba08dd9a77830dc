"""Removes names, numbers and dates from free text by rules in five languages. Does not know DICOM or the archive.

English, German, French, Spanish and Italian. The result is NOT anonymous: rules miss unusual spellings, and a rare
disease or a history may identify a person. Measurements (3 cm, 2.5 x 4 mm), sequences (T2), levels (L4-L5), grades,
ages and eponyms are kept.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.text.contact_rules import remove_contacts
from engine.text.hashed_names import named_spans
from engine.text.hospital_rules import remove_hospitals
from engine.text.known_names import apart, known_spans
from engine.text.person_rules import remove_people

WARNING = (
    "Names, numbers and dates are removed from reports by pattern matching, and text from images by a detector; both "
    "may miss some. Handle the archive as patient data."
)
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
"""Characters without width, which would split a name (soft hyphen, directions of writing)."""
_SPACES = re.compile("[\u00a0\u2007\u2009\u202f]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without the identifiers that were found."""

    text: str
    """With placeholders such as [name] and [date]."""
    removed: int
    """Number of placeholders inserted."""


def _no_name(_: str) -> bool:
    return False


def clean(text: str, known: Iterable[str] = (), is_name: Callable[[str], bool] = _no_name) -> Cleaned:
    """Replace identifiers with placeholders, and bring the text to one Unicode form (NFC) with ordinary spaces.

    Takes time in proportion to the text, whatever it contains.

    Args:
        text: free text of a report or a description.
        known: names and numbers that the header states (known_names.py): of the patient and of everybody else.
        is_name: tells whether a header stated a spelling of which the hash alone is known (hashed_names.py).
    """
    text = unicodedata.normalize("NFC", _SPACES.sub(" ", _INVISIBLE.sub("", text)))
    spans = apart([*known_spans(text, known), *(named_spans(text, is_name) if is_name is not _no_name else ())])
    for start, end in reversed(spans):
        text = f"{text[:start]}[name]{text[end:]}"
    text, contacts = remove_contacts(text)
    text, hospitals = remove_hospitals(text)
    text, people = remove_people(text)
    return Cleaned(text, len(spans) + contacts + hospitals + people)
