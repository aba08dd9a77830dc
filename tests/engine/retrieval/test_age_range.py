"""Age ranges are read as people type them."""

import pytest

from engine.errors import UserError
from engine.retrieval.age_range import age_range


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", (None, None)),
        ("50", (50, 50)),
        ("40-60", (40, 60)),
        ("40 – 60 y", (40, 60)),
        ("40 to 60 years", (40, 60)),
        ("65+", (65, None)),
        (">=65", (65, None)),
        (">64", (65, None)),
        ("<18", (None, 17)),
        ("-17", (None, 17)),
        ("up to 17", (None, 17)),
    ],
)
def test_a_range_of_ages_is_read(typed: str, meant: tuple[int | None, int | None]) -> None:
    assert age_range(typed) == meant


@pytest.mark.parametrize("typed", ["old", "4o", "40-", "40-60-80", "-"])
def test_anything_else_is_refused_with_examples(typed: str) -> None:
    with pytest.raises(UserError, match="such as 40-60"):
        age_range(typed)


def test_a_reversed_range_is_refused() -> None:
    with pytest.raises(UserError, match="lower age first"):
        age_range("60-40")
