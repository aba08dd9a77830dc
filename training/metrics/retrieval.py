"""Retrieval metrics over one index of both modalities, and their values by chance. Knows no models and no files.

See docs/method.md, "Retrieval protocol". A pool has images and unique texts as items. `groups` is bool [items, G]: an
item may belong to several groups, as a stock text does. Two items are relevant to each other if they share a group.
"""

from collections.abc import Mapping

import numpy as np

from training.arrays import BoolArray, Float64Array, FloatArray, IntArray

ScoreScale = Mapping[str, Mapping[str, float]]

IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT = "image-image", "image-report", "report-report"


def scaled_scores(
    cosines: FloatArray, query_is_text: BoolArray, item_is_text: BoolArray, score_scale: ScoreScale
) -> Float64Array:
    """Cosines [Q, P] z-scored per kind of pair, so that one threshold and one ranking serve all kinds.

    Args:
        score_scale: mean and std of each kind of pair, see `training.metrics.score_scale`.
    """
    texts = query_is_text[:, None].astype(int) + item_is_text[None, :].astype(int)  # 0, 1 or 2 of the pair
    order = [score_scale[kind] for kind in (IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT)]
    mean, std = (np.array([entry[name] for entry in order])[texts] for name in ("mean", "std"))
    return np.asarray((np.asarray(cosines, np.float64) - mean) / std)


def shared_groups(groups: BoolArray) -> BoolArray:
    """Returns bool [items, items]: whether two items have a group in common."""
    counts = groups.astype(np.float32)
    return (counts @ counts.T) > 0


def ndcg_at(scores: FloatArray, relevant: BoolArray, k: int = 10) -> Float64Array:
    """nDCG@k of each query with binary relevance and discount 1 / log2(rank + 1) (Jarvelin and Kekalainen 2002).

    Args:
        scores: float [Q, P], -inf removes a candidate. Equal scores rank by position: shuffle before.
        relevant: bool [Q, P].

    Returns:
        float64 [Q]; nan for a query without any relevant candidate.
    """
    candidates = relevant & np.isfinite(scores)
    order = top(scores, k)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gains = np.take_along_axis(candidates, order, axis=1) * discounts[: order.shape[1]]
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(candidates.sum(1), k)]
    return np.asarray(np.divide(gains.sum(1), ideal, out=np.full(len(scores), np.nan), where=ideal > 0))


def top(scores: FloatArray, k: int) -> IntArray:
    """Positions of the k highest scores of each row, best first, ties by position: int [Q, min(k, P)]."""
    return np.argsort(-np.asarray(scores, np.float64), axis=1, kind="stable")[:, :k]


def other_share(scores: FloatArray, query_is_text: BoolArray, item_is_text: BoolArray, k: int = 10) -> Float64Array:
    """Share of the other modality among the k best candidates of each query, float64 [Q]."""
    return np.asarray((item_is_text[top(scores, k)] != query_is_text[:, None]).mean(1))


def balanced_other_share(
    scores: FloatArray, is_text: BoolArray, draws: int = 8, seed: int = 0, k: int = 10
) -> Float64Array:
    """`other_share` over pools with as many texts as images, averaged over seeded draws of the larger kind.

    Args:
        scores: float [items, items] with -inf on the diagonal (the query itself is removed).
        is_text: bool [items].

    Returns:
        float64 [items]; nan for an item that was never drawn. 0.5 is balanced.
    """
    rng = np.random.default_rng(seed)
    images, texts = np.flatnonzero(~is_text), np.flatnonzero(is_text)
    size = min(len(images), len(texts))
    total, seen = np.zeros(len(is_text)), np.zeros(len(is_text))
    for _ in range(draws):
        pool = np.sort(np.concatenate([rng.choice(kind, size, replace=False) for kind in (images, texts)]))
        total[pool] += other_share(scores[np.ix_(pool, pool)], is_text[pool], is_text[pool], k)
        seen[pool] += 1
    return np.asarray(np.divide(total, seen, out=np.full(len(is_text), np.nan), where=seen > 0))


def chance_recall(positives: BoolArray, k: int) -> float:
    """Expected recall@k of a random order: mean over queries of 1 - C(P - h, k) / C(P, k), h hits among P."""
    return float(np.mean(1.0 - chance_misses(positives, k)[:, k]))


def chance_reciprocal_rank(positives: BoolArray) -> float:
    """Expected MRR of a random order."""
    missed = chance_misses(positives, positives.shape[1])
    first_at = missed[:, :-1] - missed[:, 1:]  # probability that the first hit is at rank r
    return float((first_at / np.arange(1, positives.shape[1] + 1)).sum(1).mean())


def chance_misses(positives: BoolArray, k: int) -> Float64Array:
    """Probability that the first r ranks of a random order contain no hit, r = 0..k: float64 [Q, k + 1]."""
    pool, hits = positives.shape[1], positives.sum(1)[:, None]
    ranks = np.arange(min(k, pool))[None, :]
    left = np.clip((pool - hits - ranks) / (pool - ranks), 0.0, 1.0)
    missed = np.concatenate([np.ones((len(positives), 1)), np.cumprod(left, axis=1)], axis=1)
    return missed if k <= pool else np.pad(missed, ((0, 0), (0, k - pool)))


def chance_ndcg(relevant: BoolArray, candidates: int, k: int = 10) -> float:
    """Expected nDCG@k of a random order of `candidates`, mean over the queries with relevant ones ([Q, P] bool)."""
    counts = relevant.sum(1)
    counts = counts[counts > 0]
    discounts = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))
    expected = counts / candidates * discounts[min(k, candidates) - 1]
    return float((expected / discounts[np.minimum(counts, k) - 1]).mean())
