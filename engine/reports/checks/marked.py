"""Checks what the marks of a report stand for: words of other cases, measurements, fields of a template."""

import re
from collections.abc import Iterable, Mapping

from engine.reports.change import Span
from engine.reports.checks.check import Check
from engine.reports.document import Document
from engine.reports.links import Link, numbers_in

TO_LOOK_AT = re.compile(
    r"\b\d+(?:[.,]\d+)?(?:\s*[x×]\s*\d+(?:[.,]\d+)?)*(?:\s*(?:mm|cm|ml|hu|%))?|"
    r"\b(?:left|right|bilateral(?:ly)?|both)\b",
    re.IGNORECASE,
)
"""Numbers and sides: what is hardly ever true of another patient."""


def taken_over_checks(document: Document) -> Iterable[Check]:
    """Sentences taken over from a case whose numbers and sides nobody edited or confirmed."""
    for mark in document.marks:
        proposal = document.proposals[mark.proposal]
        if not proposal.taken_from or mark.proposal in document.confirmed or document.wording(mark) == "edited":
            continue
        found = list(TO_LOOK_AT.finditer(document.text, mark.start, mark.end))
        if found:
            named = ", ".join(dict.fromkeys(f'"{one.group().strip()}"' for one in found))
            span: Span = (found[0].start(), found[-1].end())
            message = f"Taken over from {proposal.origin}: {named} not confirmed for this patient."
            yield Check("taken over", span, message, action="confirm", target=mark.proposal)


def measurement_checks(document: Document, measured: Mapping[str, str] | None) -> Iterable[Check]:
    """Measurements in the text that were changed or deleted, or that the text no longer gives.

    Args:
        document: the report.
        measured: what each measurement of the study is like now, by id; None while they are not known.
    """
    for number, link in enumerate(document.links):
        if link.kind != "measurement":
            continue
        span, named = (link.start, link.end), f'The measurement "{link.inserted}"'
        if measured is not None and link.target not in measured:
            yield Check("measurement", span, f"{named} was deleted.")
        elif measured is not None and measured[link.target] != link.state:
            yield Check("measurement", span, f"{named} was changed later.", action="update", target=number)
        elif not _still_given(link, document.text[link.start : link.end]):
            yield Check("measurement", span, f'The text no longer gives what was measured: "{link.inserted}".')


def _still_given(link: Link, now: str) -> bool:
    """Whether the first number of a measurement is in the words of now, perhaps rounded or in centimeters."""
    first = next(iter(numbers_in(link.inserted)), None)
    if first is None or now == link.inserted:
        return True
    return any(abs(number * scale - first) <= 0.5 * scale for number in numbers_in(now) for scale in (1, 10))


def field_checks(document: Document) -> Iterable[Check]:
    """Fields that are empty but should not be, and numbers that are none."""
    for link in document.links:
        if link.kind != "field":
            continue
        span, value = (link.start, link.end), document.text[link.start : link.end].strip()
        if link.is_empty(document.text):
            if link.rule != "free":
                blocks = link.rule == "required"
                yield Check("field", span, f"{link.target} is empty{' and required' if blocks else ''}.", blocks)
        elif link.type == "number" and not numbers_in(value):
            yield Check("field", span, f"{link.target} is not a number.")
