"""Runs every check of a report. Knows no rule by itself."""

from collections.abc import Mapping

from engine.reports.checks.check import Check, Known, lines_of
from engine.reports.checks.marked import field_checks, measurement_checks, taken_over_checks
from engine.reports.checks.negations import negation_checks
from engine.reports.checks.priors import prior_checks
from engine.reports.checks.regions import region_checks
from engine.reports.checks.sex import sex_checks
from engine.reports.checks.sides import side_checks
from engine.reports.document import Document


def checks(document: Document, known: Known, measured: Mapping[str, str] | None = None) -> tuple[Check, ...]:
    """Everything to look at before signing, in the order of the text.

    Args:
        document: the report.
        known: what is known of its study.
        measured: what each measurement of the study is like now, by id; None while they are not known.
    """
    lines = lines_of(document.text)
    found = [
        *side_checks(lines, known),
        *negation_checks(lines),
        *sex_checks(lines, known),
        *region_checks(lines, known),
        *prior_checks(lines, known),
        *taken_over_checks(document),
        *measurement_checks(document, measured),
        *field_checks(document),
    ]
    return tuple(sorted(found, key=lambda one: one.span))
