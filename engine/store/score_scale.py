"""The score scale: what makes cosines of different kinds of pair comparable. Pure functions that know no archive.

Vectors of images and of reports each lie around a mean of their own (the modality gap), and cosines of image-image,
image-report and report-report pairs have different distributions. A score is therefore a cosine after subtracting
the mean of each kind, z-scored with the mean and deviation of its kind of pair among unrelated cases. All of it is
measured without labels on the vectors that are searched, and blended with the constants of the bundle while there are
few. The difference of vector and mean is not normalized again, so that a score stays linear in the vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from engine.store.case import Kind

PairKind = Literal["image-image", "image-report", "report-report"]

KINDS: tuple[Kind, ...] = ("image", "report")
PAIR: Mapping[tuple[Kind, Kind], PairKind] = {
    ("image", "image"): "image-image",
    ("image", "report"): "image-report",
    ("report", "image"): "image-report",
    ("report", "report"): "report-report",
}
PRIOR_CASES = 10
"""How many cases of a kind the constants of the bundle are worth. On archives of 5 to 200 cases drawn from val of each
source, the error of z against the whole split is lowest at 2 to 10 where the bundle was not trained, and at 20 to 50
where it was; at 10, no source is far from its best (`python -m benchmarks.ranking --only prior`)."""
TAIL, NORMAL_TAIL = 0.99, 2.3263
"""A quantile, and how many standard deviations above the mean it is in a normal distribution."""
MIN_PAIRS = 100
"""Unrelated pairs that a kind needs; with fewer, the quantile is just the maximum, and the bundle's constants apply."""
MIN_DEVIATION = 0.01
"""Lower limit of a deviation, since scores are divided by it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of the cosines of one kind of pair."""

    mean: float
    std: float
    """From the upper tail: the distance of the 99th percentile from the mean, in standard normal deviations, since
    rankings are decided among the nearest of many."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Vectors of one kind, and whose they are."""

    vectors: NDArray[np.float32]
    """Unit vectors, float32 [N, D]."""
    cases: NDArray[np.int64]
    """Case ids, int64 [N]."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreScale:
    """Means and spreads that turn cosines into scores."""

    means: Mapping[Kind, NDArray[np.float32]]
    """float32 [D] by kind; a missing one is zero."""
    spreads: Mapping[PairKind, Spread]

    @classmethod
    def of_bundle(cls, constants: Mapping[str, Any]) -> Self:
        """The scale of a bundle alone: {kind of pair: {"mean", "std"}}, measured without subtracting means."""
        spreads = {pair: constants[pair] for pair in PAIR.values()}
        return cls({}, {pair: Spread(float(one["mean"]), float(one["std"])) for pair, one in spreads.items()})

    def centered(self, vectors: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
        """Vectors float32 [..., D] of one kind minus its mean, not normalized again."""
        return vectors - self.means[kind] if kind in self.means else vectors


def measured(
    samples: Mapping[Kind, Sample], constants: Mapping[str, Any], prior_cases: float = PRIOR_CASES
) -> ScoreScale:
    """The score scale of an archive, measured on a sample of its vectors and blended with that of its bundle.

    Args:
        samples: by kind; a kind without vectors is left out or empty.
        constants: of the bundle, as for `ScoreScale.of_bundle`. They were measured where means are near zero, so zero
            is what the means are blended with.
        prior_cases: how many cases the constants are worth.
    """
    prior = ScoreScale.of_bundle(constants)
    counts = {kind: len(np.unique(sample.cases)) for kind, sample in samples.items()}
    trust = {kind: count / (count + prior_cases) for kind, count in counts.items() if count}
    means: dict[Kind, NDArray[np.float32]] = {
        kind: np.asarray(weight * samples[kind].vectors.mean(0, dtype=np.float64), np.float32)
        for kind, weight in trust.items()
    }
    centered = {kind: samples[kind].vectors - means[kind] for kind in means}
    spreads = dict(prior.spreads)
    for (one, other), pair in PAIR.items():
        if one in means and other in means and (one, other) != ("report", "image"):
            unrelated = samples[one].cases[:, None] != samples[other].cases[None, :]
            counted = np.triu(unrelated) if one == other else unrelated  # each pair once
            found = spread((centered[one] @ centered[other].T)[counted])
            if found is not None:
                spreads[pair] = _blended(found, prior.spreads[pair], min(trust[one], trust[other]))
    return ScoreScale(means, spreads)


def spread(cosines: NDArray[np.float32]) -> Spread | None:
    """Mean and upper deviation of the cosines of unrelated pairs; None if there are too few."""
    if len(cosines) < MIN_PAIRS:
        return None
    mean = float(cosines.mean(dtype=np.float64))
    deviation = (float(np.quantile(cosines, TAIL)) - mean) / NORMAL_TAIL
    return Spread(mean, max(deviation, MIN_DEVIATION))


def _blended(one: Spread, other: Spread, weight: float) -> Spread:
    return Spread(
        weight * one.mean + (1 - weight) * other.mean,
        weight * one.std + (1 - weight) * other.std,
    )
