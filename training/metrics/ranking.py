"""Ranking metrics over the rows of a similarity matrix: ranks and recall. Knows no models and no files."""

import numpy as np

from training.arrays import BoolArray, Float64Array, FloatArray


def best_rank(similarities: FloatArray, positives: BoolArray) -> Float64Array:
    """The 1-based rank of each query's best hit, ties counted half (mid-rank).

    A hit that ties with t other candidates gets the middle of the ranks that they share, so that a model with the same
    score everywhere gets the value of chance, not rank 1.

    Args:
        similarities: float [Q, P], higher is nearer. -inf removes a candidate.
        positives: bool [Q, P], True where the candidate is a hit.

    Returns:
        float64 [Q]; +inf for a query without any hit.
    """
    scores = np.asarray(similarities, np.float64)
    best = np.where(positives, scores, -np.inf).max(axis=1, initial=-np.inf)
    others = ~positives
    above = ((scores > best[:, None]) & others).sum(axis=1)
    tied_others = ((scores == best[:, None]) & others).sum(axis=1)
    tied_hits = ((scores == best[:, None]) & positives).sum(axis=1)
    # With h hits and t others at one score, the first hit is on average t / (h + 1) ranks further down.
    rank = 1.0 + above + tied_others / (tied_hits + 1.0)
    return np.where(np.isfinite(best), rank, np.inf)


def recall_at(similarities: FloatArray, positives: BoolArray, k: int) -> float:
    """Share of queries whose best hit has rank k or better (mid-rank ties); queries without a hit are left out.

    Args and shapes as in `best_rank`. Returns a share in 0..1, nan if no query has a hit.
    """
    ranks = best_rank(similarities, positives)
    ranks = ranks[positives.any(axis=1)]
    return float((ranks <= k).mean()) if len(ranks) else float("nan")
