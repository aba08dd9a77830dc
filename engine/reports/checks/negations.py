"""Checks that findings and impression do not contradict each other: what one reports, the other must not exclude.

Rules over words; the side of a finding is checked in sides.py. What is in doubt contradicts nothing, and a negation of
a kind ("no acute fracture", "no large effusion") excludes nothing else. Does not know the image.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.reports.checks.check import Check, Line
from engine.text.findings import ABNORMALITY, Findings, findings

OF_A_KIND = re.compile(
    r"\b(?:acute|acutely|new|newly|other|otherwise|further|additional|remain\w*|rest|significant|significantly|suspicious|"
    r"residual|recurrent|active|worrisome|concerning|enlarging|progressive|abnormal|change\w*|since|compar\w+|interval|"
    r"no longer|previous\w*|prior|visible|limited|views?|projections?|following|after)\b",
    re.IGNORECASE,
)
"""In a sentence that excludes, or finds to be normal, only a part of what a finding may be."""
ONE_OF_A_KIND = re.compile(
    r"\b(?:focal|large|larger|definite|discrete|displaced|obvious|gross|overt|frank|convincing|radiographic|dominant|"
    r"destructive|pathologic\w*|appreciable|sizable|sizeable|typical|specific|lobar|confluent|dense|tension|calcified|"
    r"cavit\w+|layering)\b"
    r".*?(?=,|\bor\b|\band\b|\bnor\b|[.;]|$)",
    re.IGNORECASE,
)
"""The same of the one finding that follows: "no focal infiltrate, effusion or pneumothorax"."""
FORMER = re.compile(
    r"\b(?:resol\w+|clear(?:ed|ing)|removed|status post|history|prior|previous\w*|post|borderline|upper limits?|healed|"
    r"old|remote|versus|vs|and\s*/\s*or)\b",
    re.IGNORECASE,
)
"""In a sentence that may name what is no longer there, or hardly is."""

DEVICES = frozenset(("tube", "catheter", "pacemaker", "surgical material", "hardware"))
"""No findings, and often named for what they did: "no pneumothorax after removal of the tube"."""
CHEST = frozenset(("lung", "pleura", "heart", "mediastinum"))
"""Organs that a sentence about the chest names one for the other."""
NORMAL_IF_ABSENT = {"cardiomegaly": (f"heart {ABNORMALITY}",)}
"""What an organ that is called normal lacks for certain; a normal lung may be the vessels or the volume alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one sentence says."""

    line: Line
    findings: Findings

    @property
    def excluded(self) -> frozenset[str]:
        """What it excludes altogether."""
        text = self.line.text
        if OF_A_KIND.search(text) or self.findings.mixed:
            return frozenset()
        return findings(ONE_OF_A_KIND.sub(" ", text)).negated if ONE_OF_A_KIND.search(text) else self.findings.negated

    @property
    def reported(self) -> frozenset[str]:
        """What it affirms of today."""
        return frozenset() if FORMER.search(self.line.text) else self.findings.affirmed


def negation_checks(lines: Sequence[Line]) -> Iterable[Check]:
    """One check for each sentence of the impression that contradicts the findings."""
    said = [Said(line, findings(line.text)) for line in lines]
    body = [one for one in said if not one.line.impression and not one.line.background]
    impression = [one for one in said if one.line.impression]
    for one in impression:
        if name := _contradicted(one.reported, one, body, impression):
            yield Check("negation", one.line.span, f"The impression reports {name}, the findings exclude it.")
        elif name := _reported_before(one, body, impression):
            yield Check("negation", one.line.span, f"The impression excludes {name}, the findings report it.")


def _contradicted(names: Iterable[str], one: Said, body: Sequence[Said], impression: Sequence[Said]) -> str:
    """The first of some findings that the findings exclude and nowhere report or doubt."""
    for name in sorted(names):
        if any(name in other.findings.abnormal for other in body) or _both(name, impression):
            continue
        if any(_excludes(other, name, one) for other in body):
            return name
    return ""


def _reported_before(one: Said, body: Sequence[Said], impression: Sequence[Said]) -> str:
    """The first finding that a sentence of the impression excludes and the findings report."""
    for other in body:
        for name in sorted(other.reported):
            hedged = any(name in before.findings.negated | before.findings.doubted for before in body)
            if not hedged and not _both(name, impression) and _excludes(one, name, other):
                return name
    return ""


def _both(name: str, impression: Sequence[Said]) -> bool:
    """Whether the impression both reports or doubts a finding and excludes it, as of two places."""
    return any(name in one.findings.abnormal for one in impression) and any(
        name in one.findings.negated for one in impression
    )


def _excludes(one: Said, name: str, other: Said) -> bool:
    """Whether a sentence excludes a finding that another one reports, of the same organ and side if both name one."""
    if name in DEVICES or not one.excluded & {name, *NORMAL_IF_ABSENT.get(name, ())}:
        return False
    organs, others = (_whole(said.findings.organs) for said in (one, other))
    if organs and others and not organs & others:
        return False
    return not one.findings.sides or "both" in one.findings.sides or one.findings.sides == other.findings.sides


def _whole(organs: frozenset[str]) -> frozenset[str]:
    return organs | CHEST if organs & CHEST else organs
