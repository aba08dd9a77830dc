"""Share of the first hits that agree with the query, macro over labels, and its value by chance. Knows no models.

"Agrees" is any bool matrix: a finding in common, the same kind of examination, the same part of the body.
"""

import numpy as np

from training.arrays import BoolArray, Float64Array, FloatArray
from training.metrics import bootstrap
from training.metrics.retrieval import top


def share_at(scores: FloatArray, agrees: BoolArray, k: int = 5) -> Float64Array:
    """Share of each query's k best candidates that agree with it.

    Args:
        scores: float [Q, P], -inf removes a candidate. Equal scores rank by position: shuffle before.
        agrees: bool [Q, P].

    Returns:
        float64 [Q]; the share of fewer than k where fewer candidates are left, nan where none is.
    """
    order = top(scores, k)
    left = np.isfinite(np.take_along_axis(np.asarray(scores, np.float64), order, axis=1))
    hits = (np.take_along_axis(agrees, order, axis=1) & left).sum(1)
    return divided(hits, left.sum(1))


def chance_share(agrees: BoolArray, candidates: BoolArray) -> Float64Array:
    """Expected share of a random order: of the candidates (bool [Q, P]) those that agree, float64 [Q]."""
    return divided((agrees & candidates).sum(1), candidates.sum(1))


def macro(values: Float64Array, labels: BoolArray) -> float:
    """Mean over labels of the mean value of the queries that have the label.

    Args:
        values: float64 [Q], nan for a query that does not count.
        labels: bool [Q, L]; a label that no counted query has is left out.

    Returns:
        nan if no label is left.
    """
    return float(macro_resamples(values, labels, np.ones((1, len(values))))[0])


def macro_resamples(values: Float64Array, labels: BoolArray, weights: Float64Array) -> Float64Array:
    """`macro` in each resample, given row weights [draws, Q]: float64 [draws].

    A label whose queries a resample did not draw is left out of it.
    """
    counted = labels & ~np.isnan(values)[:, None]
    means = [bootstrap.weighted_means(values[has], weights[:, has]) for has in counted.T if has.any()]
    if not means:
        return np.full(len(weights), np.nan)
    table = np.array(means)
    known = ~np.isnan(table)
    return divided(np.where(known, table, 0.0).sum(0), known.sum(0))


def divided(parts: FloatArray, wholes: FloatArray) -> Float64Array:
    """Parts / wholes, nan where the whole is 0."""
    parts, wholes = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    return np.asarray(np.divide(parts, wholes, out=np.full(parts.shape, np.nan), where=wholes > 0))
