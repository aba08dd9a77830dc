"""All metrics of docs/method.md for one set of embeddings, with the resamples for intervals and comparisons.

Takes the embeddings of a pool; knows no models and no files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.arrays import BoolArray, Float64Array, FloatArray, IntArray
from training.metrics import bootstrap, content, gap, retrieval, zero_shot
from training.metrics.pool import Pool
from training.metrics.ranking import best_rank, recall_at
from training.metrics.score_scale import from_cosines

KS = (1, 5, 10)
NEW = "recall@10_{way}_new"
"""recall@10 of the queries whose text is in no train split; measured only where some texts are."""
LOWER_IS_BETTER = frozenset({"gap", "gap_over_floor", "angle_degrees", "rmg", "mean_cos_image", "mean_cos_text"})
RECALL, OTHER_SHARE = "recall@", "other_share"
"""In the names of the metrics that may be worse by `bootstrap.TOLERANCE`; all others have other units."""
DRAWS = 1000


@dataclass(frozen=True)
class Measured:
    """The metrics of one model on one pool."""

    values: dict[str, float]
    """By metric."""
    samples: dict[str, Float64Array]
    """Group-bootstrap resamples float64 [draws] of the metrics that have an interval."""
    score_scale: dict[str, dict[str, float]]
    """Mean and standard deviation of the cosines by kind of pair."""

    def interval(self, name: str) -> tuple[float, float] | None:
        """The 95% interval of a metric, if it has one."""
        return bootstrap.interval(self.samples[name]) if name in self.samples else None

    def as_dict(self) -> dict[str, Any]:
        """The metrics and the score scale as plain values for JSON."""
        shown: dict[str, Any] = {}
        for name, value in self.values.items():
            shown[name] = {"value": None if np.isnan(value) else value}
            found = self.interval(name)
            if found:
                shown[name] |= {"low": found[0], "high": found[1]}
        return {"metrics": shown, "calibration": self.score_scale}


def measure(
    images: FloatArray,
    texts: FloatArray,
    pool: Pool,
    score_scale: retrieval.ScoreScale | None = None,
    *,
    words: FloatArray | None = None,
    clusters: bool = True,
    seed: int = 0,
    draws: int = DRAWS,
) -> Measured:
    """All metrics.

    Args:
        images: float [N, D], texts: float [T, D] of the unique texts, unit rows, in the order of the pool.
        score_scale: that of the model; None measures it on this pool (six numbers from tens of
            thousands of pairs, so the bias is small).
        words: float [phrases, D] of `zero_shot.phrases`, for the AUROC by words alone; None leaves it out.
        clusters: whether k-means clusters are compared with the labels, which takes longer than everything else.
        seed, draws: of the group bootstrap, the permutations and k-means.
    """
    weights = bootstrap.group_weights(len(pool.group_names), draws, seed)
    items = np.concatenate([gap.normalised(images), gap.normalised(texts)])
    image_rows, text_rows = items[: len(pool.own)], items[len(pool.own) :]
    values, samples = space(image_rows, text_rows[pool.own], pool.groups, weights, seed)
    values["effective_rank"] = gap.effective_rank(items)
    for name, labels in pool.labels.items() if clusters else ():
        values[f"v_measure_{name}"] = gap.v_measure(items, labels, seed)
    cosines = items @ items.T
    scale = dict(score_scale or from_cosines(cosines, pool.is_text, retrieval.shared_groups(pool.item_groups)))
    for per_query in (matches(image_rows @ text_rows.T, pool), mixed(cosines, pool, scale, seed)):
        for name, (rows, groups) in per_query.items():
            samples[name] = bootstrap.weighted_means(rows, weights[:, groups])
            values[name] = float(np.nanmean(rows))
    found = content.measure(retrieval.scaled_scores(cosines, pool.is_text, pool.is_text, scale), pool, weights, seed)
    values, samples = values | found.values, samples | found.samples
    if words is not None:
        by_words = content.by_words(image_rows, words, pool, weights)
        values, samples = values | by_words[0], samples | by_words[1]
    return Measured(values, samples, {kind: dict(entry) for kind, entry in scale.items()})


def space(
    images: Float64Array, texts: Float64Array, groups: IntArray, weights: Float64Array, seed: int
) -> tuple[dict[str, float], dict[str, Float64Array]]:
    """Gap and shape of the space over the pairs (row i of both is pair i), and its resamples."""
    cosines = gap.true_pair_cosines(images, texts)
    floor = gap.gap_floor(images, texts, groups, seed=seed)
    true = float(cosines.mean())
    values = {
        "gap": gap.gap(images, texts),
        "gap_floor": floor,
        "gap_over_floor": gap.gap(images, texts) - floor,
        "cos_true_pairs": true,
        "angle_degrees": gap.angle_degrees(true),
        "margin": gap.margin(images, texts),
        "rmg": gap.relative_gap(images, texts),
        "mean_cos_image": gap.mean_cosine(images),
        "mean_cos_text": gap.mean_cosine(texts),
        "uniformity": gap.uniformity(images, texts),
    }
    rows = weights[:, groups]
    count = rows.sum(1)
    sums = [weights @ gap.group_sums(z, groups) for z in (images, texts)]
    gaps = unbiased_norms(np.linalg.norm(sums[0] - sums[1], axis=1) / count, values["gap"])
    squared = np.square(rows)
    others = count**2 - squared.sum(1)  # 0 if a resample of a tiny pool drew only one pair
    total = np.einsum("bd,bd->b", *sums) - squared @ cosines
    across = np.divide(total, others, out=np.full(len(weights), np.nan), where=others > 0)
    true_means = rows @ cosines / count
    samples = {"gap": gaps, "gap_over_floor": gaps - floor, "cos_true_pairs": true_means, "margin": true_means - across}
    return values, samples


def unbiased_norms(norms: Float64Array, observed: float) -> Float64Array:
    """Resampled norms without the bias that resampling adds.

    The square of a resampled mean's norm exceeds the observed one by the variance of the mean, so an interval of
    the plain norms may not even contain the observed value. That excess is subtracted from the squares.
    """
    squares = np.square(norms)
    return np.asarray(np.sqrt(np.maximum(0.0, squares - (squares.mean() - observed**2))))


PerQuery = dict[str, tuple[Float64Array, IntArray]]
"""By metric: its value for each query (nan: not counted), and the group of each query."""


def matches(cosines: Float64Array, pool: Pool) -> PerQuery:
    """recall@1/5/10 and reciprocal rank, both ways over the whole pool."""
    found: PerQuery = {}
    ways = (
        ("image_to_text", cosines, pool.positives, pool.groups),
        ("text_to_image", cosines.T, pool.positives.T, pool.text_groups),
    )
    for way, scores, positives, groups in ways:
        ranks = best_rank(scores, positives)
        for k in KS:
            found[f"recall@{k}_{way}"] = ((ranks <= k).astype(np.float64), groups)
        found[f"mrr_{way}"] = (1.0 / ranks, groups)
    for way, new in new_queries(pool).items():
        hits, groups = found[f"recall@10_{way}"]
        found[NEW.format(way=way)] = (np.where(new, hits, np.nan), groups)
    return found


def new_queries(pool: Pool) -> dict[str, BoolArray]:
    """By direction, the queries [Q] whose text is in no train split; nothing where that is true of all or of none."""
    new = ~pool.seen
    return {} if new.all() or not new.any() else {"image_to_text": new[pool.own], "text_to_image": new}


def mixed(cosines: Float64Array, pool: Pool, score_scale: retrieval.ScoreScale, seed: int) -> PerQuery:
    """mixed@10: all items in one index, by cosine and by scaled score, the query itself removed."""
    order = np.random.default_rng(seed).permutation(len(cosines))  # so that ties are in random order
    is_text = pool.is_text[order]
    groups = np.concatenate([pool.groups, pool.text_groups])[order]
    related = retrieval.shared_groups(pool.item_groups[order])
    np.fill_diagonal(related, False)
    across = related & (is_text[:, None] != is_text[None, :])
    raw = cosines[np.ix_(order, order)]
    found: PerQuery = {}
    for prefix, scores in (("", raw), ("calibrated_", retrieval.scaled_scores(raw, is_text, is_text, score_scale))):
        np.fill_diagonal(scores, -np.inf)
        found[f"{prefix}mixed_ndcg@10"] = (retrieval.ndcg_at(scores, related), groups)
        found[f"{prefix}cross_ndcg@10"] = (retrieval.ndcg_at(scores, across), groups)
        share = retrieval.balanced_other_share(scores, is_text, seed=seed)
        found[f"{prefix}other_share"] = (share, groups)
        found[f"{prefix}other_share_image_query"] = (np.where(is_text, np.nan, share), groups)
        found[f"{prefix}other_share_text_query"] = (np.where(is_text, share, np.nan), groups)
    return found


def chance(pool: Pool) -> dict[str, float]:
    """Expected value of each ranking metric for a random order."""
    positives = pool.positives
    result: dict[str, float] = {}
    for way, hits in (("image_to_text", positives), ("text_to_image", positives.T)):
        result |= {f"recall@{k}_{way}": retrieval.chance_recall(hits, k) for k in KS}
        result[f"mrr_{way}"] = retrieval.chance_reciprocal_rank(hits)
    for way, new in new_queries(pool).items():
        hits = positives if way == "image_to_text" else positives.T
        result[NEW.format(way=way)] = retrieval.chance_recall(hits[new], 10)
    related = retrieval.shared_groups(pool.item_groups)
    np.fill_diagonal(related, False)
    across = related & (pool.is_text[:, None] != pool.is_text[None, :])
    others = len(related) - 1
    size = min(len(pool.own), len(pool.texts))
    for prefix in ("", "calibrated_"):
        result[f"{prefix}mixed_ndcg@10"] = retrieval.chance_ndcg(related, others)
        result[f"{prefix}cross_ndcg@10"] = retrieval.chance_ndcg(across, others)
        for query in ("", "_image_query", "_text_query"):
            result[f"{prefix}other_share{query}"] = size / (2 * size - 1)
    return result | content.chance(pool) | {f"auroc_{name}": 0.5 for name in zero_shot.QUESTIONS if any(pool.findings)}


def habit(pool: Pool) -> dict[str, float]:
    """Recall image to text of always returning the most frequent texts; the other way this baseline is chance."""
    counts = np.broadcast_to(pool.positives.sum(0).astype(np.float64), pool.positives.shape)
    found = {f"recall@{k}_image_to_text": recall_at(counts, pool.positives, k) for k in KS}
    new = new_queries(pool).get("image_to_text")
    if new is not None:
        found[NEW.format(way="image_to_text")] = recall_at(counts[new], pool.positives[new], 10)
    return found


def compare(candidate: Measured, baseline: Measured) -> dict[str, bootstrap.Comparison]:
    """Paired comparison of every metric with an interval; both must have the same pool, seed and number of draws."""
    return {
        name: bootstrap.compare(
            float(judged(name, candidate.values[name])),
            float(judged(name, baseline.values[name])),
            judged(name, candidate.samples[name]),
            judged(name, baseline.samples[name]),
            lower_is_better=name in LOWER_IS_BETTER or OTHER_SHARE in name,
            tolerance=bootstrap.TOLERANCE if name.startswith(RECALL) or OTHER_SHARE in name else 0.0,
        )
        for name in candidate.samples
        if name in baseline.samples
    }


def judged(name: str, values: float | Float64Array) -> Float64Array:
    """What a comparison judges: the distance of a share from balance, what of the gap is above its floor.

    A gap below its floor is not smaller than that of a perfectly mixed space.
    """
    if OTHER_SHARE in name:
        return np.abs(np.asarray(values) - 0.5)
    return np.maximum(values, 0.0) if name == "gap_over_floor" else np.asarray(values)


def flat(found: Mapping[str, bootstrap.Comparison]) -> dict[str, dict[str, float | str]]:
    """Comparisons as plain values for JSON."""
    return {
        name: {"difference": c.difference, "low": c.low, "high": c.high, "verdict": c.verdict}
        for name, c in found.items()
    }
