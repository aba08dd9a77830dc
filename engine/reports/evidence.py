"""Finds the archived reports that support a sentence. Does not know drafts or images.

A sentence of an imported or signed report is evidence when its similarity reaches a threshold calibrated on validation
data AND the two sentences do not conflict in negation, laterality, body part or examination (conflicts.py). Evidence
means similar wording; it does not prove anything about the patient.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.text.conflicts import conflict
from engine.text.not_in_image import other_examination
from engine.text.sentences import sentences

CANDIDATES = 40
"""Nearest reports whose sentences are compared one by one."""
MAX_CASES = 5
"""Supporting cases returned for a sentence."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of an archived report with similar wording."""

    case_id: int
    text: str
    similarity: float
    """Cosine of the two sentences."""

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
    """The best sentence of each supporting case, most similar first, at most MAX_CASES.

    Reports are preselected by their vectors, then their sentences are embedded and compared.

    Args:
        bundle: the models that the archive was indexed with.
        archive: the reports.
        sentence: the sentence that needs support.
        threshold: minimum cosine of the two sentences.
        excluded: cases that cannot support it: the study's own, and others of its patient.
        modality: of the image (0008,0060); a sentence about another kind of examination does not support it.
    """
    query = bundle.embed_texts([sentence])[0]
    found = archive.index.nearest(query, "report", CANDIDATES, bundle_id=bundle.id)
    scored: list[tuple[int, str, float]] = []
    unscored: list[tuple[int, str]] = []
    for case_id, vector in zip(found.cases.tolist(), found.vectors, strict=True):
        report = archive.case(case_id).report
        if report is None or case_id in excluded:
            continue
        parts = sentences(report.text)
        agreeing = [part for part in parts if not conflict(sentence, part) and not other_examination(part, modality)]
        if len(parts) == 1:  # the archived vector of the report is the vector of its only sentence
            scored += [(case_id, part, float(vector @ query)) for part in agreeing]
        else:
            unscored += [(case_id, part) for part in agreeing]
    if unscored:
        cosines = bundle.embed_texts([text for _, text in unscored]) @ query
        scored += [(case_id, text, float(cosine)) for (case_id, text), cosine in zip(unscored, cosines, strict=True)]
    best: dict[int, Evidence] = {}
    for case_id, text, similarity in sorted(scored, key=lambda one: (-one[2], one[0])):
        if similarity >= threshold and case_id not in best:
            best[case_id] = Evidence(case_id, text, similarity)
    return tuple(best.values())[:MAX_CASES]
