"""Finds the archived reports nearest to an image, reduced to the sentences that may describe it.

Does not know the captioner. Cases rank as in a search; a case may match by its image or by its report.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.nearest import nearest_cases
from engine.store.case import Kind
from engine.store.filters import Filters
from engine.text.conflicts import contradiction
from engine.text.not_in_image import not_in_image, other_examination
from engine.text.sentences import sentences

CANDIDATES = 12
"""Nearest cases whose reports are considered; many reports contain nothing but history."""
OTHERS = 2
"""Further near reports that the nearest one is compared with."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sentence of another near report that contradicts a sentence of the draft."""

    case_id: int
    text: str
    kind: str
    """What it contradicts: "negation" or "laterality"."""


@dataclass(frozen=True, slots=True)
class NearReport:
    """The sentences of one archived report that may describe the image."""

    case_id: int
    sentences: tuple[str, ...]
    matched: Kind
    """Whether the image or the report of the case is near."""
    score: float
    """z-score of the match, as in a search."""
    cosine: float
    omitted_sentences: int = 0
    """How many of its sentences were left out: history, age, comparison or another kind of examination."""
    skipped_reports: int = 0
    """How many nearer reports had no usable sentence."""


def near_reports(
    archive: Archive,
    bundle: Encoder,
    embedding: NDArray[np.float32],
    excluded: Collection[int] = (),
    modality: str = "",
) -> tuple[NearReport, ...]:
    """The nearest reports with at least one usable sentence, nearest first, at most 1 + OTHERS.

    Args:
        archive: the reports.
        bundle: the models that the archive was indexed with.
        embedding: float32 [D], unit vector of the image.
        excluded: cases to skip: the study's own, and others of its patient.
        modality: of the image (0008,0060); sentences that name another kind of examination are left out.
    """
    query = QueryVectors(image=embedding)
    found: list[NearReport] = []
    ranked = nearest_cases(archive, bundle, query, CANDIDATES, Filters(excluded=excluded, with_report=True))
    for rank, match in enumerate(ranked):
        report = archive.case(match.case_id).report
        parts = sentences(report.text) if report else []
        usable = tuple(part for part in parts if not_in_image(part) is None and not other_examination(part, modality))
        if usable and match.cosine is not None:
            found.append(
                NearReport(
                    match.case_id,
                    usable,
                    matched=match.kind,
                    score=match.score,
                    cosine=match.cosine,
                    omitted_sentences=len(parts) - len(usable),
                    skipped_reports=rank - len(found),
                )
            )
        if len(found) > OTHERS:
            break
    return tuple(found)


def contradictions(sentence: str, others: Collection[NearReport]) -> tuple[Contradiction, ...]:
    """The sentences of other near reports that contradict a sentence, at most one per report."""
    found = []
    for report in others:
        for text in report.sentences:
            kind = contradiction(sentence, text)
            if kind is not None:
                found.append(Contradiction(report.case_id, text, kind))
                break
    return tuple(found)
