"""How scores of different kinds become comparable. Pure functions: knows no archive and no index.

Cosines of image-image, image-report and report-report pairs live on different scales even in a space whose gap is
nearly closed, so each is z-scored with the mean and deviation of its kind of pair, measured once on validation data
and kept in the bundle's manifest. Nothing else touches the ranking: no quotas, no interleaving.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.store.case import Kind

Item = TypeVar("Item", bound=Hashable)
RRF_K = 60  # Cormack, Clarke, Buettcher, SIGIR 2009
PAIR = {
    ("image", "image"): "image-image",
    ("image", "report"): "image-report",
    ("report", "image"): "image-report",
    ("report", "report"): "report-report",
}


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """The unit vectors of a query, float32 [D] each: the picture, the words, or both."""

    image: NDArray[np.float32] | None = None
    text: NDArray[np.float32] | None = None

    @property
    def parts(self) -> tuple[tuple[Kind, NDArray[np.float32]], ...]:
        """(kind, vector) of what was asked; words behave like a report."""
        image: tuple[tuple[Kind, NDArray[np.float32]], ...] = () if self.image is None else (("image", self.image),)
        return image if self.text is None else (*image, ("report", self.text))

    @property
    def composed(self) -> NDArray[np.float32]:
        """The normalised mean of the parts, float32 [D]; the raw cosine of a hit is taken with this."""
        total = np.sum([vector for _, vector in self.parts], axis=0, dtype=np.float32)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


@dataclass(frozen=True, slots=True)
class LinearScore:
    """score(v) = weights . v + offset, for a unit vector v of one kind; float32 [D] and a float."""

    weights: NDArray[np.float32]
    offset: float

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of unit rows, float32 [N, D] -> float32 [N]."""
        return np.asarray(vectors @ self.weights + np.float32(self.offset), np.float32)


def calibrated(query: QueryVectors, kind: Kind, score_scale: Mapping[str, Any]) -> LinearScore:
    """The calibrated score of a query against vectors of one kind.

    One part: z = (cosine - mean) / std of that kind of pair. Picture and words together: the mean of both z-scores.
    With equal deviations that orders like the cosine with the normalised mean of both vectors; with unequal ones it
    keeps the part whose scale is narrower from being drowned. Since the mean of two z-scores that are not fully
    correlated spreads less than one, composed scores are smaller: compare them only within one search.

    z is linear in the vector, so an inner-product index ranks exactly by it when asked with `weights`.
    """
    weights = np.zeros_like(query.composed)
    offset = 0.0
    for part, vector in query.parts:
        constants = score_scale[PAIR[part, kind]]
        mean, std = float(constants["mean"]), float(constants["std"])
        weights += vector / std / len(query.parts)
        offset -= mean / std / len(query.parts)
    return LinearScore(weights, offset)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Item]], k: int = RRF_K) -> dict[Item, float]:
    """Sum of 1 / (k + rank), ranks from 1, over the rankings that hold the item; higher is better."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return scores
