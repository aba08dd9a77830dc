"""An archived case in words: what it is, its text as it is copied, and which words of it were asked for. No archive."""

from engine.store.case import Case
from engine.text.words import STOP_WORDS, singular, spans

NOTICE = "de-identified case of a Kindred archive, research use only"


def credit(case: Case) -> str:
    """Licence and attribution as the source gave them; "" for a site's own cases."""
    return "; ".join(part for part in (case.attribution, case.licence) if part)


def facts(case: Case) -> str:
    """Modality, sex, age and region as far as known, in one line."""
    age = f"{case.age} y" if case.age is not None else ""
    return ", ".join(part for part in (case.modality, case.sex, age, case.body_part.lower()) if part)


def as_copied(case: Case) -> str:
    """The text of a case with its number, its facts and its source, ready to be pasted elsewhere."""
    text = case.report.text if case.report else case.description or "No report."
    about = ", ".join(part for part in (f"Case {case.case_id}", facts(case), NOTICE) if part)
    source = credit(case)
    return f"{text.rstrip()}\n\n[{about}{f'. Source: {source}' if source else ''}]\n"


def asked_words(text: str, query: str) -> list[tuple[int, int]]:
    """Where a text has words of the query, [start, end) in characters; singular and plural are one, case is ignored.

    Words such as "the" count only when nothing else was asked.
    """
    asked = {singular(query[start:end].lower()) for start, end in spans(query)}
    wanted = {word for word in asked if word not in STOP_WORDS} or asked
    return [(start, end) for start, end in spans(text) if singular(text[start:end].lower()) in wanted]
