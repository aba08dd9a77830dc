"""De-identification takes time in proportion to the text: each of these would take minutes with a quadratic pattern."""

import pytest

from engine.text.deidentify import clean

UNITS = ("a.", "a^", "Aa-", "A ", "1.", "1 ", "+1 ", "Dr. Aa, ", "12 Aa ", "sign a ", "u\u0308", "Aa Hospital ")


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_is_cleaned(unit: str) -> None:
    assert clean(unit * (40_000 // len(unit)), ["O'Neil-Müller^Anna^A", "St. Mary's Hospital"]).text
