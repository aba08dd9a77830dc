"""Decides which sentences independent near reports agree on, by their findings. Knows no models and no archive.

Two reports are independent when they are of different cases and different patients, and not copies of one text. A
report agrees with a sentence when it affirms every finding that the sentence affirms, in a sentence without conflict in
side, region or negation, and negates every finding that the sentence negates, with no sentence to the contrary.
Similar letters do not count: "calcification of the basal ganglia" has no support in "measurement points at the basal
ganglia level".
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.reports.nearest_report import NearReport
from engine.text.body_regions import parts_of, sites_of
from engine.text.conflicts import conflict
from engine.text.findings import ABNORMALITY, ORGAN_OF, Findings, findings

LEAST = 2
"""Independent reports that must agree on a sentence, besides the one that it comes from."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of an archived report with the same finding."""

    case_id: int
    text: str
    similarity: float
    """Cosine of its case and the image."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sentence of a near report that contradicts a sentence of the draft."""

    case_id: int
    text: str
    kind: str
    """What it contradicts: "negation" or "laterality"."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the near reports say about one sentence."""

    evidence: tuple[Evidence, ...] = ()
    """Independent reports with the same findings, nearest first; never the one that the sentence comes from."""
    contradictions: tuple[Contradiction, ...] = ()
    asked: int = 0
    """How many independent reports are near."""
    opposed: int = 0
    """How many of them say the opposite, in so many words or by being normal."""
    affirms: bool = True
    """Whether the sentence affirms a finding."""
    normal: int | None = None
    """How many of them call normal what the sentence calls normal; None if it calls nothing normal."""
    denied: int = 0
    """How many of them affirm or suspect a finding that the sentence negates by name."""

    def enough(self, share: float, normal: float) -> bool:
        """Whether the sentence may stand in a draft.

        At least two other reports agree, and more than say the opposite. Besides, each part of the sentence must stand:
        a finding that it affirms needs `share` of the near reports; what it calls normal needs `normal` of them to say
        so, and most of them; what it negates needs that none affirms it.
        """
        agree = len(self.evidence)
        return (
            agree >= LEAST
            and agree > self.opposed
            and self.denied == 0
            and (not self.affirms or agree >= share * self.asked)
            and (self.normal is None or (self.normal >= normal * self.asked and 2 * self.normal > self.asked))
        )


def agreement(sentence: str, reports: Sequence[NearReport], source: NearReport | None = None) -> Agreement:
    """What near reports say about a sentence.

    Args:
        sentence: of a draft.
        reports: near reports, nearest first.
        source: the report that the sentence was copied from.
    """
    said = findings(sentence)
    others = independent(reports, source)
    absent = {name for name in said.negated if not name.endswith(ABNORMALITY)}
    calls_normal = len(absent) < len(said.negated)
    if calls_normal and source is not None and any(findings(text).abnormal for text in source.omitted):
        return Agreement(asked=len(others))
    denying = {one.case_id: found for one in others if (found := contradicting(said, one)) is not None}
    evidence = tuple(
        Evidence(report.case_id, text, report.cosine)
        for report in others
        if not (said.negated and report.case_id in denying) and (text := supporting(sentence, said, report)) is not None
    )
    agreeing = {one.case_id for one in evidence}
    rest = [report for report in others if report.case_id not in agreeing]
    against = tuple(denying[one.case_id] for one in rest if one.case_id in denying)
    opposed = {one.case_id for one in against} | {one.case_id for one in rest if opposes(said, one.findings)}
    calling = sum(says_normal(said, one.findings) for one in others) if calls_normal else None
    denied = sum(not absent.isdisjoint(one.findings.abnormal) for one in others)
    return Agreement(evidence, against, len(others), len(opposed), bool(said.affirmed), calling, denied)


def independent(reports: Collection[NearReport], source: NearReport | None = None) -> list[NearReport]:
    """One report of each case, patient and wording, the nearest; none of those of `source`."""
    seen = set(_identity(source)) if source is not None else set()
    found = []
    for report in reports:
        if seen.isdisjoint(_identity(report)):
            found.append(report)
            seen.update(_identity(report))
    return found


def _identity(report: NearReport) -> list[tuple[str, Any]]:
    named: list[tuple[str, Any]] = [("case", report.case_id), ("wording", report.wording)]
    return named if report.patient is None else [*named, ("patient", report.patient)]


def supporting(sentence: str, said: Findings, report: NearReport) -> str | None:
    """The sentence of a report that says the same, or None unless the report agrees with every finding.

    What a sentence doubts no report can support, so that it is never copied.
    """
    if not said.all or said.doubted:
        return None
    best: str | None = None
    missing = set(said.affirmed)
    for text in report.sentences:
        other = findings(text)
        if missing & other.affirmed and _same_site(said, other) and _compatible(sentence, text):
            missing -= other.affirmed
            best = best or text
    for name in said.negated:
        negating = next((one for one in report.sentences if _negates(one, name, said, sentence)), None)
        if negating is None and name.endswith(ABNORMALITY) and _wholly_normal(report, name):
            normal = (one for one in report.sentences if findings(one).normal)
            negating = next((one for one in normal if _compatible(sentence, one)), None)
        if negating is None:
            return None
        best = best or negating
    return None if missing else best


def _wholly_normal(report: NearReport, name: str) -> bool:
    """Whether a report says that all is normal, or, where all is asked, finds nothing but normal."""
    return report.findings.normal and (name == ABNORMALITY or ABNORMALITY in report.findings.negated)


def _negates(text: str, name: str, said: Findings, sentence: str) -> bool:
    """Whether a sentence negates a finding wherever another one does: "no right effusion" is not "no effusion"."""
    other = findings(text)
    everywhere = not other.sides or (other.sides in (said.sides, {"both"}) and not other.mixed)
    covers = everywhere or bool(other.affirmed)  # whose side it is then
    return name in other.negated and covers and _compatible(sentence, text)


def says_normal(said: Findings, other: Findings) -> bool:
    """Whether a report calls normal what a sentence calls normal."""
    return other.normal or {name for name in said.negated if name.endswith(ABNORMALITY)} <= other.negated


def opposes(said: Findings, other: Findings) -> bool:
    """Whether a report says the opposite of a sentence: one is normal, or negates, what the other affirms or doubts."""
    if said.affirmed & other.negated or (said.affirmed and other.normal):
        return True
    return bool(said.negated & other.abnormal) or (ABNORMALITY in said.negated and bool(other.abnormal))


def contradicting(said: Findings, report: NearReport) -> Contradiction | None:
    """The first sentence of a report that contradicts: the finding is negated, or normal, or on the other side."""
    for text in (*report.sentences, *report.omitted):
        other = findings(text)
        if said.affirmed & other.negated or said.negated & other.abnormal or _normal_here(said, other):
            return Contradiction(report.case_id, text, "negation")
        sides = said.sides | other.sides
        if said.affirmed & other.affirmed and said.sides and other.sides and len(sides) > 1 and "both" not in sides:
            return Contradiction(report.case_id, text, "laterality")
    return None


def _normal_here(one: Findings, other: Findings) -> bool:
    """Whether one sentence calls normal the organ in which the other affirms a finding."""
    return any(
        f"{organ} {ABNORMALITY}" in normal.negated - affirming.negated
        for normal, affirming in ((one, other), (other, one))
        if affirming.abnormal and not normal.affirmed
        for organ in affirming.organs or {ORGAN_OF[name] for name in affirming.abnormal if name in ORGAN_OF}
    )


def _same_site(one: Findings, other: Findings) -> bool:
    """Whether two sentences may be about one site: equal sides where the first names one, and a shared organ.

    Which finding is on which side is not known where a sentence names both sides and several findings.
    """
    if one.sides and (one.sides != other.sides or one.mixed or other.mixed):
        return False
    return not one.organs or not other.organs or bool(one.organs & other.organs)


def _compatible(one: str, other: str) -> bool:
    """Whether two sentences do not conflict, and are of one body part where both name some.

    Chest and abdomen are examined together, yet a mass of one is not a mass of the other.
    """
    parts, others = _parts(one), _parts(other)
    return conflict(one, other) is None and not (parts and others and not parts & others)


def _parts(text: str) -> frozenset[str]:
    return parts_of(text) | (frozenset({"spine"}) if "spine level" in sites_of(text) else frozenset())
