"""Words of a text, and numbers with their nouns."""

import pytest

from engine.text.words import counted


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 studies"), (1, "1 study"), (2, "2 studies"), (12_345, "12,345 studies")]
)
def test_a_number_has_its_noun_in_the_right_form(number: int, expected: str) -> None:
    assert counted(number, "study", "studies") == expected


def test_the_plural_is_regular_unless_given() -> None:
    assert counted(2, "case") == "2 cases"
