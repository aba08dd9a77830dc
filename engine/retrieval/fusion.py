"""Puts scores of different kinds of pair on one scale. Pure functions that know no archive and no index.

Cosines of image-image, image-report and report-report pairs have different distributions, even in an embedding space
with almost no modality gap. Each is therefore centered and z-scored by the score scale of the archive
(engine/store/score_scale.py). There are no quotas and no interleaving.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.store.case import Kind
from engine.store.score_scale import PAIR, ScoreScale

Item = TypeVar("Item", bound=Hashable)
RRF_K = 60
"""Cormack, Clarke, Buettcher: Reciprocal rank fusion, SIGIR 2009."""


@dataclass(frozen=True, slots=True)
class QueryVectors:
    """The unit vectors of a query: of its image, its text, or both."""

    image: NDArray[np.float32] | None = None
    """float32 [D]."""
    text: NDArray[np.float32] | None = None
    """float32 [D]."""
    text_share: float = 0.5
    """How much the text counts where there is an image too, 0 to 1."""

    @property
    def parts(self) -> tuple[tuple[Kind, NDArray[np.float32], float], ...]:
        """(kind, vector, share) of each part of the query; text counts as a report. The shares add up to 1."""
        shares = (
            (1 - self.text_share, self.text_share) if self.image is not None and self.text is not None else (1.0, 1.0)
        )
        image: tuple[tuple[Kind, NDArray[np.float32], float], ...] = ()
        if self.image is not None:
            image = (("image", self.image, shares[0]),)
        return image if self.text is None else (*image, ("report", self.text, shares[1]))

    @property
    def composed(self) -> NDArray[np.float32]:
        """The normalized mean of the parts by share, float32 [D]; the raw cosine of a hit is with this vector."""
        total = np.sum([share * vector for _, vector, share in self.parts], axis=0, dtype=np.float32)
        return np.asarray(total / max(float(np.linalg.norm(total)), 1e-12), np.float32)


@dataclass(frozen=True, slots=True)
class LinearScore:
    """score(v) = weights . v + offset, for a unit vector v of one kind."""

    weights: NDArray[np.float32]
    """float32 [D]."""
    offset: float

    def __call__(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores of unit vectors, float32 [N, D] -> float32 [N]."""
        return np.asarray(vectors @ self.weights + np.float32(self.offset), np.float32)


def calibrated(query: QueryVectors, kind: Kind, scale: ScoreScale) -> LinearScore:
    """The calibrated score of a query against vectors of one kind.

    A single part scores z = ((part - its mean) . (vector - its mean) - mean) / std of its kind of pair. Image and text
    together score the mean of both z-scores, weighted by their shares: the part with the narrower distribution keeps
    its influence. The mean of two z-scores that are not fully correlated varies less than either, so composed scores
    are smaller: compare scores only within one search.

    z is linear in the vector, so an inner-product index queried with `weights` ranks exactly by it.

    Args:
        query: vectors of image, text, or both.
        kind: of the vectors that are scored.
        scale: of the archive that is searched.
    """
    weights = np.zeros_like(query.composed)
    offset = 0.0
    for part, vector, share in query.parts:
        spread = scale.spreads[PAIR[part, kind]]
        toward = scale.centered(vector, part)
        lifted = float(toward @ scale.means[kind]) if kind in scale.means else 0.0
        weights += share * toward / spread.std
        offset -= share * (lifted + spread.mean) / spread.std
    return LinearScore(weights, offset)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[Item]], k: int = RRF_K) -> dict[Item, float]:
    """Sum of 1 / (k + rank), ranks from 1, over the rankings that contain the item; higher is better."""
    scores: dict[Item, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return scores
