"""Bootstrap over whole groups: intervals, and the verdict on two models. Knows no models and no metrics.

Near-duplicates and images of one patient are one observation, so groups are resampled, never rows.
"""

from dataclasses import dataclass

import numpy as np

from training.arrays import Float64Array

TOLERANCE = 0.02
"""Two percentage points: how much worse a recall or a share may be and still count as not worse."""


def group_weights(groups: int, draws: int = 1000, seed: int = 0) -> Float64Array:
    """How often each of `groups` groups is drawn in each of `draws` resamples: float64 [draws, groups]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1.0 / groups), size=draws).astype(np.float64)


def weighted_means(values: Float64Array, weights: Float64Array) -> Float64Array:
    """Mean of `values` [N] in each resample, given row weights [draws, N]; nan values are left out.

    A resample without any value is nan. Returns float64 [draws].
    """
    known = ~np.isnan(values)
    total = weights[:, known].sum(1)
    sums = weights[:, known] @ values[known]
    return np.asarray(np.divide(sums, total, out=np.full(len(weights), np.nan), where=total > 0))


def interval(samples: Float64Array, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a statistic, from its resamples [draws]."""
    tail = (1.0 - level) / 2.0
    low, high = np.nanquantile(samples, [tail, 1.0 - tail])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate minus baseline, with the sign such that positive is better; its 95% interval and the verdict."""

    difference: float
    low: float
    high: float
    verdict: str


def compare(
    candidate: float,
    baseline: float,
    candidate_samples: Float64Array,
    baseline_samples: Float64Array,
    lower_is_better: bool = False,
    tolerance: float = 0.0,
) -> Comparison:
    """Paired comparison: both samples come from the same resamples of the same groups.

    "better" or "worse": the interval of the difference excludes 0 on that side; "not worse": neither, and its lower
    bound is at least -`tolerance`; otherwise "undecided". See docs/method.md, "Uncertainty".
    """
    sign = -1.0 if lower_is_better else 1.0
    low, high = interval(sign * (candidate_samples - baseline_samples))
    return Comparison(sign * (candidate - baseline), low, high, verdict(low, high, tolerance))


def verdict(low: float, high: float, tolerance: float = 0.0) -> str:
    """The verdict of `compare` on an interval."""
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "not worse" if low >= -tolerance else "undecided"
