"""Finds the archived reports nearest to an image, reduced to the sentences that may describe it.

Does not know the captioner, nor what the reports have in common. Cases rank as in a search; a case may match by its
image or by its report. A report whose facts contradict those of the image is none of them: a hip is not drafted from a
chest, whatever the models say.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.facts.fact import NO_FACTS, FactKind, Facts, conflict, value_of
from engine.models.roles import Encoder
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.nearest import nearest_cases
from engine.store.case import Kind
from engine.store.filters import Filters
from engine.text.findings import Findings, findings, together
from engine.text.not_in_image import not_in_image, other_examination, without_marks
from engine.text.sentences import sentences
from engine.text.words import words

CANDIDATES = 48
"""Nearest cases that are looked at; many reports contain nothing but history, or contradict the facts."""
REPORTS = 12
"""Near reports that are compared with each other."""
OTHER_SIDE = {"left": "right", "right": "left"}
VETO: tuple[FactKind, ...] = ("modality", "region", "laterality")
"""Facts that must not contradict; two views of one chest share a report."""


@dataclass(frozen=True)
class NearReport:
    """One archived report: the sentences that may describe the image, and the others that say what was found."""

    case_id: int
    sentences: tuple[str, ...]
    """Those that may be copied."""
    matched: Kind
    """Whether the image or the report of the case is near."""
    score: float
    """The z-score of the match, as in a search; facts weigh nothing here."""
    cosine: float
    omitted_sentences: int = 0
    """How many of its sentences may not be copied: those of `omitted`, and those of another kind of examination."""
    omitted: tuple[str, ...] = ()
    """Sentences with a history, a size, a comparison, a citation or the other side: a report of a 2 cm nodule is not
    normal, though that sentence is not copied."""
    patient: str | None = None
    """Keyed hash; None when unknown."""
    wording: str = ""
    """The words of the whole report; equal for two copies of one text."""
    facts: Facts = field(default_factory=dict)

    @cached_property
    def findings(self) -> Findings:
        """What all sentences say together."""
        return together([findings(sentence) for sentence in (*self.sentences, *self.omitted)])


@dataclass(frozen=True, slots=True)
class Nearest:
    """What lies near an image."""

    reports: tuple[NearReport, ...]
    """Nearest first, at most REPORTS."""
    conflicts: tuple[FactKind, ...] = ()
    """What the nearer reports that were left out contradict, one entry each."""


def near_reports(
    archive: Archive,
    bundle: Encoder,
    embedding: NDArray[np.float32],
    excluded: Collection[int] = (),
    facts: Facts = NO_FACTS,
) -> Nearest:
    """The nearest reports without a contradicting fact: the first has a sentence to copy, each other that or a finding.

    Args:
        archive: the reports.
        bundle: the models that the archive was indexed with.
        embedding: float32 [D], unit vector of the image.
        excluded: cases to skip: the study's own, and others of its patient.
        facts: of the image; sentences that name another kind of examination, or only the other side, are not copied.
    """
    modality = value_of(facts, "modality")
    other_side = {OTHER_SIDE.get(value_of(facts, "laterality"))}
    found: list[NearReport] = []
    conflicts: list[FactKind] = []
    filters = Filters(excluded=excluded, evidence=True)
    for match in nearest_cases(archive, bundle, QueryVectors(image=embedding), CANDIDATES, filters):
        case = archive.case(match.case_id)
        if case.report is None or match.cosine is None:
            continue
        contradicted = conflict(_only(VETO, facts), case.facts)
        if contradicted is not None:
            conflicts.append(contradicted)
            continue
        parts = [without_marks(part) for part in sentences(case.report.text)]
        own = [part for part in parts if not other_examination(part, modality)]
        usable = tuple(part for part in own if not_in_image(part) is None and findings(part).sides != other_side)
        near = NearReport(
            match.case_id,
            usable,
            matched=match.kind,
            score=match.score,
            cosine=match.cosine,
            omitted_sentences=len(parts) - len(usable),
            omitted=tuple(part for part in own if part not in usable),
            patient=case.patient,
            wording=" ".join(words(case.report.text)),
            facts=case.facts,
        )
        if usable or (found and near.findings.affirmed):
            found.append(near)
        if len(found) == REPORTS:
            break
    return Nearest(tuple(found), tuple(conflicts))


def undivided(reports: Sequence[NearReport]) -> bool:
    """Whether the nearest report says its modality and region, at least half say them, and none says others.

    Where the header of the image says neither, this is all that is known of it.
    """
    for kind in ("modality", "region"):
        said = [report.facts[kind].value for report in reports if kind in report.facts]
        if kind not in reports[0].facts or len(set(said)) != 1 or 2 * len(said) < len(reports):
            return False
    return True


def _only(kinds: Collection[FactKind], facts: Facts) -> Facts:
    return {kind: facts[kind] for kind in kinds if kind in facts}
