"""The report that a draft starts from: that of the nearest archived case, as far as it tells of a picture.

Knows no decoder. Ranking is that of the search; who is nearest may be so by picture or by wording.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.retrieval.fusion import QueryVectors
from engine.retrieval.search import nearest_cases
from engine.store.case import Kind
from engine.text.conflicts import contradiction
from engine.text.not_in_image import not_in_image, other_examination
from engine.text.sentences import sentences

LOOKED_AT = 12
"""Nearest cases whose reports may be taken; many reports tell only of history."""
OTHERS = 2
"""Further nearest reports that the chosen one is held against."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sentence of another near report that says otherwise; kind is "negation" or "laterality"."""

    case_id: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class NearReport:
    """Sentences of one archived report that may describe a picture, and how near its case is.

    matched: whether the case's picture or its wording is near. score: calibrated, as in a search. cosine: raw.
    left_out: how many of its sentences tell of history, age or other examinations. passed_over: nearer reports
    that tell of nothing else.
    """

    case_id: int
    sentences: tuple[str, ...]
    matched: Kind
    score: float
    cosine: float
    left_out: int = 0
    passed_over: int = 0


def near_reports(
    archive: Archive,
    bundle: Encoder,
    embedding: NDArray[np.float32],
    excluded: Collection[int] = (),
    modality: str = "",
) -> tuple[NearReport, ...]:
    """The nearest reports with something to take over, nearest first, at most 1 + OTHERS.

    Args:
        archive, bundle: the reports and the models they were indexed with.
        embedding: float32 [D], unit vector of the picture.
        excluded: cases that may not be taken: the study's own, and others of its patient.
        modality: of the picture (0008,0060); sentences that name another kind of examination are not taken.
    """
    marks = ", ".join("?" * len(excluded))
    condition = f"cases.id IN (SELECT case_id FROM reports) AND cases.id NOT IN ({marks})"
    query = QueryVectors(image=embedding)
    found: list[NearReport] = []
    ranked = nearest_cases(archive, bundle, query, ("image", "report"), LOOKED_AT, condition, tuple(excluded))
    for seen, match in enumerate(ranked):
        report = archive.case(match.case_id).report
        parts = sentences(report.text) if report else []
        usable = tuple(p for p in parts if not_in_image(p) is None and not other_examination(p, modality))
        if usable and match.cosine is not None:
            left_out = len(parts) - len(usable)
            passed = seen - len(found)
            found.append(NearReport(match.case_id, usable, match.kind, match.score, match.cosine, left_out, passed))
        if len(found) > OTHERS:
            break
    return tuple(found)


def contradictions(sentence: str, others: Collection[NearReport]) -> tuple[Contradiction, ...]:
    """What other near reports say against a sentence, at most one sentence a report."""
    found = []
    for report in others:
        for text in report.sentences:
            kind = contradiction(sentence, text)
            if kind is not None:
                found.append(Contradiction(report.case_id, text, kind))
                break
    return tuple(found)
