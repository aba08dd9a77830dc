"""Ranks the cases of an archive by calibrated score. Knows no query text and reads no facts of cases.

Filters apply before ranking, so they never thin out a result. A case ranks by its best vector.
"""

from dataclasses import dataclass

import numpy as np

from engine.archive import Archive
from engine.models.roles import Encoder
from engine.retrieval.fusion import QueryVectors, calibrated
from engine.store.case import Kind
from engine.store.filters import ANY, Filters
from engine.store.score_scale import KINDS, ScoreScale


@dataclass(frozen=True, slots=True)
class Match:
    """One ranked case before its facts are read."""

    case_id: int
    kind: Kind
    """Whether an image or the report of the case matched best."""
    score: float
    """As in Hit."""
    cosine: float | None
    """As in Hit."""
    embedding_id: int | None = None
    """The embedding that matched best; None when only words matched."""
    words: tuple[str, ...] = ()
    """Words of the query that the report contains."""


def nearest_cases(
    archive: Archive,
    bundle: Encoder,
    query: QueryVectors,
    count: int,
    filters: Filters = ANY,
    scale: ScoreScale | None = None,
) -> list[Match]:
    """The best match of each of the best `count` cases by calibrated score, best first.

    Args:
        archive: where to search.
        bundle: the models that the archive was indexed with.
        query: vectors of image, text, or both.
        count: how many cases at most.
        filters: which cases may be found.
        scale: of the scores; None for that of the archive.
    """
    cases = archive.cases_allowed_by(filters)
    if scale is None:
        scale = archive.score_scale.current(bundle.score_scale, bundle.id)
    composed = query.composed
    depth = 4 * count + 64  # a case may own several vectors, and an 8-bit index may misplace some
    while True:
        best: dict[int, Match] = {}
        floor = -np.inf  # no vector that was left out scores higher than this
        for kind in filter(filters.may_match, KINDS):
            score = calibrated(query, kind, scale)
            found = archive.index.nearest(score.weights, kind, depth, cases, bundle.id)
            if not len(found.ids):
                continue
            scores = score(found.vectors)
            cosines = found.vectors @ composed
            if not found.all:
                floor = max(floor, float(scores.min()))
            for case_id, embedding_id, value, cosine in zip(
                found.cases.tolist(), found.ids.tolist(), scores.tolist(), cosines.tolist(), strict=True
            ):
                if case_id not in best or value > best[case_id].score:
                    best[case_id] = Match(case_id, kind, value, cosine, embedding_id)
        ranked = sorted(best.values(), key=lambda match: (-match.score, match.case_id))[:count]
        if floor == -np.inf or (len(ranked) == count and ranked[-1].score >= floor):
            return ranked
        depth *= 4
