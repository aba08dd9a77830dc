"""Measures the score scale: mean and deviation of cosines by kind of pair, on val. Does not know models or archives."""

import logging
from collections.abc import Sequence

import numpy as np

from engine.errors import UserError
from training.arrays import BoolArray, Float32Array, FloatArray
from training.data.pairs import Pair
from training.metrics import pool
from training.metrics.retrieval import IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT, shared_groups

log = logging.getLogger(__name__)
TAIL, NORMAL_TAIL = 0.99, 2.3263
"""A quantile, and how many standard deviations above the mean it is in a normal distribution."""
MIN_PAIRS = 100
"""Unrelated pairs that a kind needs; with fewer, the 99th percentile is just the maximum."""
MIN_DEVIATION = 0.01
"""Lower limit of a deviation, since search divides by it: quantisation alone changes cosines by about this much."""
ONE_GROUP = "The score scale is measured on unrelated pairs of the split val; give pairs of at least two split_groups."


def from_cosines(cosines: FloatArray, is_text: BoolArray, related: BoolArray) -> dict[str, dict[str, float]]:
    """Mean and deviation of the raw cosines between unrelated items, by kind of pair.

    The deviation is estimated from the upper tail: the distance of the 99th percentile from the mean, divided by that
    distance in a standard normal distribution. Rankings are decided among the nearest of thousands, and the tails of
    the kinds differ, since images of different patients can be very similar. With the standard deviation, the top 10
    favoured the query's own modality. A kind with fewer than MIN_PAIRS, for example because all patients share a few
    stock texts, gets mean and deviation of all kinds together, so its cosines are not rescaled relative to each other.

    Args:
        cosines: float [items, items] between all images and unique texts.
        is_text: bool [items].
        related: bool [items, items], True where two items share a split_group; such pairs are left out, and so are
            pairs of an item with itself.

    Returns:
        {"image-image" | "image-report" | "report-report": {"mean", "std"}}, as in the manifest of a bundle; std
        is at least MIN_DEVIATION.

    Raises:
        UserError: no two items are unrelated.
    """
    kinds = is_text[:, None].astype(int) + is_text[None, :].astype(int)
    counted = np.triu(~related, 1)
    if not counted.any():
        raise UserError(ONE_GROUP)
    result = {}
    for number, name in enumerate((IMAGE_IMAGE, IMAGE_REPORT, REPORT_REPORT)):
        chosen = counted & (kinds == number)
        if (pairs := int(chosen.sum())) < MIN_PAIRS:
            log.warning(
                "%d unrelated %s pairs are too few for a score scale of their own; using all kinds together",
                pairs,
                name,
            )
            chosen = counted
        values = np.asarray(cosines[chosen], np.float64)
        mean = float(values.mean())
        deviation = float(np.quantile(values, TAIL) - mean) / NORMAL_TAIL
        result[name] = {"mean": mean, "std": max(deviation, MIN_DEVIATION)}
    return result


def from_embeddings(images: Float32Array, texts: Float32Array, rows: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """`from_cosines` of the embeddings of a split: images float32 [N, D], unique texts float32 [T, D], unit rows."""
    items = pool.build(rows)
    both = np.concatenate([images, texts])
    return from_cosines(both @ both.T, items.is_text, shared_groups(items.item_groups))
