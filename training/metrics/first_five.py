"""modality@5 and region@5: are the first five hits the same kind of examination, of the same part of the body?

Definitions: docs/method.md, "Metrics". Knows no models and no files.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from training.arrays import BoolArray, Float64Array
from training.metrics.retrieval import shared_groups
from training.metrics.shares import chance_share, share_at

K = 5


def same_value(values: Sequence[str]) -> BoolArray:
    """Returns bool [P, P]: whether two items have the same known value."""
    array = np.asarray(values, str)
    numbers = np.unique(array, return_inverse=True)[1]
    return np.asarray((numbers[:, None] == numbers[None, :]) & (array != "")[:, None])


def measure(
    scores: Float64Array, is_text: BoolArray, item_groups: BoolArray, facts: Mapping[str, Sequence[str]], k: int = K
) -> tuple[dict[str, Float64Array], dict[str, float]]:
    """KIND@5 for each kind of fact: the share of each image's first five hits in one index that have its value.

    Items of the query's own group are removed, since a patient's other images are no news, and so are items of which
    the fact is not known. A kind of which all items have one value says nothing and is left out.

    Args:
        scores: float64 [P, P] between all images and texts in one scale, -inf removes a candidate.
        item_groups: bool [P, G].
        facts: by kind, the value of each item, "" if unknown.

    Returns:
        float64 [images] by name, nan for an image whose fact is not known; and the expected values of a random order.
    """
    images = np.flatnonzero(~is_text)
    own = shared_groups(item_groups)[images]
    values: dict[str, Float64Array] = {}
    expected: dict[str, float] = {}
    for kind, found in facts.items():
        if len(set(found) - {""}) < 2:
            continue
        known = np.asarray(found, str) != ""
        candidates = np.isfinite(scores[images]) & ~own & known[None, :]
        agrees = same_value(found)[images]
        shares = share_at(np.where(candidates, scores[images], -np.inf), agrees, k)
        values[f"{kind}@{k}"] = np.where(known[images], shares, np.nan)
        by_chance = np.where(known[images], chance_share(agrees, candidates), np.nan)
        expected[f"{kind}@{k}"] = float(np.nanmean(by_chance))
    return values, expected
