"""An archived case, and what an archive holds, as text for display and copying. Knows no archive and no search."""

from textwrap import shorten
from typing import Any

from engine.store.case import UNKNOWN, Case
from engine.text.words import STOP_WORDS, counted, singular, spans

NOTICE = "de-identified case from a Kindred archive, research use only"
LINE = 100
"""Characters of a text that `case_line` shows."""


def credit(case: Case) -> str:
    """Attribution and licence as given by the source; "" for a site's own cases."""
    return "; ".join(part for part in (case.attribution, case.licence) if part)


def facts(case: Case) -> str:
    """Modality, sex, age and body part as far as known, in one line."""
    age = f"{case.age} y" if case.age is not None else ""
    return ", ".join(part for part in (case.modality, case.sex, age, case.body_part.lower()) if part)


def case_line(case: Case) -> str:
    """Number, facts, images and the first words of a case."""
    text = case.report.text if case.report else case.description
    about = [f"case {case.case_id}", facts(case), counted(len(case.images), "image"), shorten(text, LINE)]
    return "  ".join(filter(None, about))


def wording(case: Case) -> str:
    """That a report is mostly machine wording, or may be; "" for any other."""
    if case.report is None or not case.report.mostly_machine:
        return ""
    return "machine wording unknown" if case.report.machine_share == UNKNOWN else "mostly unchanged machine wording"


def copied_text(case: Case) -> str:
    """The text of a case for copying, with its number, facts and source."""
    text = case.report.text if case.report else case.description or "No report."
    about = ", ".join(part for part in (f"Case {case.case_id}", facts(case), wording(case), NOTICE) if part)
    source = credit(case)
    return f"{text.rstrip()}\n\n[{about}{f'. Source: {source}' if source else ''}]\n"


def query_word_spans(text: str, query: str) -> list[tuple[int, int]]:
    """The spans in a text of the words of a query, [start, end) in characters.

    Case is ignored, and so is the difference of singular and plural. Stop words count only when the query has no other
    words.
    """
    all_words = {singular(query[start:end].lower()) for start, end in spans(query)}
    searched = {word for word in all_words if word not in STOP_WORDS} or all_words
    return [(start, end) for start, end in spans(text) if singular(text[start:end].lower()) in searched]


def archive_contents(stats: dict[str, Any]) -> str:
    """The counts of `Archive.stats`, such as "2 cases, 1 image and 2 reports"."""
    cases, images, reports = (counted(stats[f"{name}s"], name) for name in ("case", "image", "report"))
    return f"{cases}, {images} and {reports}"
