"""The text of an archived case, for display and copying."""

from engine.retrieval.case_text import copied_text, query_word_spans
from engine.store.case import Case, Report

REPORT = Report(1, "Large left effusion. No pneumothorax.", "imported", "2026-01-01")
CASE = Case(
    12,
    "CR",
    "F",
    61,
    "CHEST",
    "PA",
    "picture archive",
    "CC BY",
    "https://example.org/1",
    None,
    "2026-01-01",
    None,
    (),
    REPORT,
)


def marked(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in query_word_spans(text, query)]


def test_the_copied_text_names_the_case_and_its_source() -> None:
    copied = copied_text(CASE)
    assert copied.startswith("Large left effusion. No pneumothorax.\n")
    for part in ("Case 12", "CR, F, 61 y, chest", "research use only", "https://example.org/1; CC BY"):
        assert part in copied


def test_words_of_the_query_are_found_in_singular_and_plural_and_any_case() -> None:
    assert marked("Effusions on the left; no effusion right.", "LEFT effusion") == ["Effusions", "left", "effusion"]
    assert marked("Metastases of the lungs", "metastasis lung") == ["Metastases", "lungs"]


def test_stop_words_count_only_in_a_query_without_other_words() -> None:
    assert marked("The mass of the liver", "the mass") == ["mass"]
    assert marked("The mass of the liver", "the") == ["The", "the"]
    assert marked("The mass", "") == []
