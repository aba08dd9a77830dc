"""Which archived reports support a sentence. Knows no drafts and no pictures.

The rule: a sentence of an imported or signed report is evidence when its similarity reaches a threshold calibrated on
validation data AND the two do not contradict each other in negation, laterality, region or examination (conflicts.py).
Similar wording is all it says; it proves nothing.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.text.conflicts import conflict
from engine.text.not_in_image import other_examination
from engine.text.sentences import sentences

CANDIDATES = 40  # reports whose sentences are compared one by one
MOST = 5  # cases listed for a sentence


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of an archived report with similar wording; similarity is the cosine of the two sentences."""

    case_id: int
    text: str
    similarity: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def find_evidence(
    bundle: Encoder,
    archive: Archive,
    sentence: str,
    threshold: float,
    excluded: Collection[int] = (),
    modality: str = "",
) -> tuple[Evidence, ...]:
    """The best sentence of each supporting case, most similar first, at most MOST.

    Whole reports are pre-selected by their vectors, then their sentences are embedded and compared.

    Args:
        bundle: the models the archive was indexed with.
        archive: the reports.
        sentence: what needs support.
        threshold: least cosine of two sentences.
        excluded: cases that may not support it: the study's own, and others of its patient.
        modality: of the picture (0008,0060); what tells of another kind of examination supports nothing about it.
    """
    query = bundle.embed_texts([sentence])[0]
    found = archive.index.nearest(query, "report", CANDIDATES, bundle_id=bundle.id)
    known: list[tuple[int, str, float]] = []
    unknown: list[tuple[int, str]] = []
    for case_id, vector in zip(found.cases.tolist(), found.vectors, strict=True):
        report = archive.case(case_id).report
        if report is None or case_id in excluded:
            continue
        parts = sentences(report.text)
        agreeing = [part for part in parts if not conflict(sentence, part) and not other_examination(part, modality)]
        if len(parts) == 1:  # the archived vector of the report is that of its only sentence
            known += [(case_id, part, float(vector @ query)) for part in agreeing]
        else:
            unknown += [(case_id, part) for part in agreeing]
    if unknown:
        cosines = bundle.embed_texts([text for _, text in unknown]) @ query
        known += [(case_id, text, float(cosine)) for (case_id, text), cosine in zip(unknown, cosines, strict=True)]
    best: dict[int, Evidence] = {}
    for case_id, text, similarity in sorted(known, key=lambda one: (-one[2], one[0])):
        if similarity >= threshold and case_id not in best:
            best[case_id] = Evidence(case_id, text, similarity)
    return tuple(best.values())[:MOST]
