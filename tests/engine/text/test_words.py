"""Words of a text, and numbers with their nouns."""

import pytest

from engine.text.words import content_words, counted, shared_words


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 studies"), (1, "1 study"), (2, "2 studies"), (12_345, "12,345 studies")]
)
def test_a_number_has_its_noun_in_the_right_form(number: int, expected: str) -> None:
    assert counted(number, "study", "studies") == expected


def test_the_plural_is_regular_unless_given() -> None:
    assert counted(2, "case") == "2 cases"


def test_words_of_any_script_are_whole() -> None:
    assert content_words("Hirno\u0308dem, Отёк лёгких") == ["hirn\u00f6dem", "отёк", "лёгких"]
    assert shared_words("Knochenmark\u00f6dem im Fuß", "Hirn\u00f6dem, Fußwurzel frei") == []
    assert shared_words("Lungen\u00f6dem?", "Kein Lungeno\u0308dem.") == ["lungen\u00f6dem"]
