"""Checks for comparisons with an earlier study where none is known. Rules over words."""

import re
from collections.abc import Iterable, Sequence

from engine.reports.checks.check import Check, Known, Line
from engine.text.words import counted

COMPARED = re.compile(
    r"\b(?:unchanged|no (?:significant |relevant |interval |appreciable |substantial )*change|(?:has|have) not changed|"
    r"not significantly changed|(?<!hemodynamically )(?<!clinically )stable|"
    r"interval (?:\w+ )?(?:change|increase|decrease|development|resolution|improvement|progression|growth|"
    r"placement|removal)|"
    r"(?:has|have) (?:\w+ )?(?:increased|decreased|improved|worsened|progressed|resolved|enlarged)|"
    r"(?:increased|decreased|improved|worse|larger|smaller) (?:since|compared|from|than before)|"
    r"again (?:seen|noted|demonstrated|identified)|previously (?:seen|noted|described|demonstrated)|"
    r"new (?:since|compared)|(?:since|from|to|with) (?:the )?(?:prior|previous|earlier|last) "
    r"(?:study|examination|exam|ct|mri?|radiograph|film|ultrasound|chest))\b",
    re.IGNORECASE,
)
NAMED = re.compile(
    r"\b(?:compar(?:ed|ison|e)\b.*(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|(?:19|20)\d\d|\[date\])|"
    r"(?:19|20)\d\d-\d\d-\d\d|(?:prior|previous|earlier) \w+(?: \w+)? (?:of|from|dated) \S*\d)",
    re.IGNORECASE | re.DOTALL,
)
"""A comparison that names its study by a date, in the whole text."""


def prior_checks(lines: Sequence[Line], known: Known) -> Iterable[Check]:
    """The first comparison of a text, if no earlier study is known and the text names none by its date."""
    if known.prior is not False or any(NAMED.search(line.text) for line in lines):
        return
    compared = [(line, found) for line in lines if (found := COMPARED.search(line.text)) is not None]
    for line, found in compared[:1]:
        more = f" and {counted(len(compared) - 1, 'more comparison')}" if len(compared) > 1 else ""
        message = f'The text says "{found.group().lower()}"{more}, but no earlier study of this patient is known here.'
        yield Check("prior", line.span_of(found), message)
