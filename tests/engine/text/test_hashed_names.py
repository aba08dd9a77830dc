"""Names that are known by hashes alone are found like those that are known by name."""

import hashlib

import pytest

from engine.text.deidentify import clean
from engine.text.hashed_names import named_spans, spellings
from engine.text.known_names import institution, known_spans


def hashed(word: str) -> bytes:
    return hashlib.sha256(word.encode()).digest()[:8]


def letters(text: str, spans: list[tuple[int, int]]) -> set[int]:
    """Where the letters and digits are that spans cover."""
    return {at for start, end in spans for at in range(start, end) if text[at].isalnum()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Quix^Otto", "Otto Quix, OTTO QUIX, quix, and Otto's knee."),
        ("Müller^Änne", "Mueller, MULLER, Anne Müller, Aenne."),
        ("D'Angelo^Chiara", "d'angelo and Dangelo, chiara."),
        ("Dupont-Lefèvre^Jean-Luc", "Dupont saw Jean Luc, jean-luc Lefevre, dupont-lefèvre."),
        ("White^Sarah", "white matter, Sarah White's scan."),
        ("Ng^Li", "Ng Li, li ng."),
        ("Li^Xiaoming=李^小明", "李小明, Xiaoming, 小明."),
        ("Иванова^Мария", "Ивановой, Мария, Марии."),
        ("حسن^محمد", "والحسن محمد"),
        ("ALT-99", "ALT-99 and alt 99 but not 99."),
        ("12345", "12345, 123456."),
        (institution("Krankenhaus Bad Neuheim"), "In Bad Neuheim, Krankenhaus Bad Neuheim."),
        (institution("MRI"), "MRI of the knee."),
    ],
)
def test_by_hash_the_same_is_found_as_by_name(name: str, text: str) -> None:
    keys = set(map(hashed, spellings([name])))
    found = named_spans(text, lambda word: hashed(word) in keys)
    assert letters(text, found) == letters(text, known_spans(text, [name]))


def test_what_no_header_says_stays() -> None:
    keys = set(map(hashed, spellings(["Quix^Otto", "ALT-99"])))
    text = "Right lung clear, 99 mm; potto quixotic. No otto-man."
    assert named_spans("Right lung clear, 99 mm; potto quixotic.", lambda word: hashed(word) in keys) == []
    assert clean(text, is_name=lambda word: hashed(word) in keys).removed == 1
