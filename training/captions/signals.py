"""Confidence signals of a draft that are known when it is made, without the report. Knows no decoder.

Each signal is one number per draft; a higher one should mean that the draft is more likely to be right.
"""

from collections.abc import Sequence

import numpy as np

from training.arrays import Float64Array, FloatArray
from training.metrics.gap import normalised

NEAREST = 5
MEANINGS = {
    "nearest_report": "cosine of the image and the nearest archived report",
    "nearest_picture": "cosine of the image and the nearest archived image",
    "agreement": f"mean cosine between the {NEAREST} nearest reports",
    "own_cosine": "cosine of the image and the draft",
    "echo": f"mean cosine of the draft and the {NEAREST} nearest reports",
    "log_prob": "mean log-probability of the tokens of the draft",
    "length": "number of words of the draft",
}


def signals(
    images: FloatArray,
    drafts: FloatArray,
    archived_images: FloatArray,
    archived_reports: FloatArray,
    words: Sequence[int],
    log_probs: Sequence[Sequence[float]] | None = None,
) -> dict[str, Float64Array]:
    """float64 [N] each, by name.

    Args:
        images, drafts: float [N, D], embeddings of the images and of their drafts.
        archived_images, archived_reports: float [P, D] and [T, D] of an archive without these images.
        words: how many words each draft has.
        log_probs: of each draft's tokens; None if no decoder wrote them.
    """
    images, written = normalised(images), normalised(drafts)
    reports = normalised(archived_reports)
    cosines = images @ reports.T
    near = np.argsort(-cosines, axis=1)[:, :NEAREST]
    found = {
        "nearest_report": cosines.max(1),
        "nearest_picture": (images @ normalised(archived_images).T).max(1),
        "agreement": np.array([mutual(reports[rows]) for rows in near]),
        "own_cosine": (images * written).sum(1),
        "echo": np.einsum("nd,nkd->n", written, reports[near]) / near.shape[1],
        "length": np.array(words, np.float64),
    }
    if log_probs is not None:
        found["log_prob"] = np.array([float(np.mean(one)) if len(one) else 0.0 for one in log_probs])
    return found


def mutual(rows: FloatArray) -> float:
    """Mean cosine of different rows [K, D] of unit length, K > 1."""
    count = len(rows)
    total = float(np.square(rows.sum(0)).sum())
    return (total - count) / (count * (count - 1))
