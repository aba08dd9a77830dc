"""Where two texts differ, told so that whole sentences stay or go."""

import pytest

from engine.reports.change import Change, change_between


@pytest.mark.parametrize(
    ("old", "new", "spans", "change"),
    [
        ("", "a", [], Change(0, 0, 1)),
        ("abc", "abc", [], Change(3, 3, 0)),
        ("abc", "axc", [], Change(1, 2, 1)),
        ("The heart. The lungs.", "The lungs.", [], Change(4, 15, 0)),
        ("The heart. The lungs.", "The lungs.", [(0, 10), (11, 21)], Change(0, 11, 0)),
        ("A. B.", "A.. B.", [(0, 2), (3, 5)], Change(2, 2, 1)),
        ("No mass. No mass.", "No mass.", [(9, 17)], Change(8, 17, 0)),
    ],
)
def test_a_change_cuts_as_few_sentences_as_it_can(old, new, spans, change) -> None:
    found = change_between(old, new, spans)
    assert found == change
    assert old[: found.start] + new[slice(*found.inserted)] + old[found.end :] == new


@pytest.mark.parametrize(
    ("change", "span"),
    [
        (Change(0, 2, 5), (8, 13)),  # before it
        (Change(10, 10, 3), (5, 10)),  # at its end
        (Change(5, 5, 3), (8, 13)),  # at its start
        (Change(7, 8, 3), (5, 12)),  # inside
        (Change(5, 6, 0), (5, 9)),  # its first character
        (Change(2, 7, 1), (3, 6)),  # across its start
        (Change(8, 12, 1), (5, 8)),  # across its end
        (Change(5, 10, 9), None),  # all of it by something else
        (Change(0, 20, 0), None),
    ],
)
def test_a_span_moves_with_its_words(change: Change, span: tuple[int, int] | None) -> None:
    assert change.moved((5, 10)) == span
