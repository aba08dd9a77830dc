"""What can be known of a draft when it is made, without the report it will be judged by. Knows no decoder, no judge.

Every signal is a number a draft; higher should mean that the draft is more likely to be right.
"""

from collections.abc import Sequence

import numpy as np

from training.arrays import Float64Array, FloatArray
from training.metrics.gap import normalised

NEAREST = 5
MEANINGS = {
    "nearest_report": "cosine of the picture and the nearest archived report",
    "nearest_picture": "cosine of the picture and the nearest archived picture",
    "agreement": f"mean cosine of the {NEAREST} nearest reports with each other",
    "own_cosine": "cosine of the picture and the draft",
    "echo": f"mean cosine of the draft and the {NEAREST} nearest reports",
    "log_prob": "mean log-probability of the draft's tokens",
    "length": "number of the draft's words",
}


def signals(
    pictures: FloatArray,
    drafts: FloatArray,
    archived_pictures: FloatArray,
    archived_reports: FloatArray,
    words: Sequence[int],
    log_probs: Sequence[Sequence[float]] | None = None,
) -> dict[str, Float64Array]:
    """float64 [N] each, by name.

    Args:
        pictures, drafts: float [N, D], embeddings of the pictures and of what was drafted for them.
        archived_pictures, archived_reports: float [P, D] and [T, D] of an archive that holds none of the pictures.
        words: how many words each draft has.
        log_probs: of each draft's tokens; None when no decoder wrote them.
    """
    images, written = normalised(pictures), normalised(drafts)
    reports = normalised(archived_reports)
    cosines = images @ reports.T
    near = np.argsort(-cosines, axis=1)[:, :NEAREST]
    found = {
        "nearest_report": cosines.max(1),
        "nearest_picture": (images @ normalised(archived_pictures).T).max(1),
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
