"""Whether hits show what the query shows: findings, facts, and words alone. Knows no models and no files.

Puts the metrics of findings.py, first_five.py and zero_shot.py together for one pool, in the scores that search uses.
"""

from dataclasses import dataclass, field

import numpy as np

from training.arrays import Float64Array, FloatArray
from training.metrics import bootstrap, findings, first_five, zero_shot
from training.metrics.pool import Pool

Samples = dict[str, Float64Array]


@dataclass(frozen=True)
class Content:
    """Values by metric, their resamples [draws], and the expected values of a random order."""

    values: dict[str, float] = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)
    expected: dict[str, float] = field(default_factory=dict)


def measure(scores: Float64Array, pool: Pool, weights: Float64Array, seed: int = 0) -> Content:
    """findings@5, modality@5 and region@5 of the image queries, as far as the pool has findings and facts.

    Args:
        scores: float64 [items, items] in one scale; the diagonal does not matter, the query itself is removed.
        weights: float64 [draws, G], how often each group was drawn in each resample.
        seed: of the order in which equal scores rank.
    """
    order = np.random.default_rng(seed).permutation(len(scores))
    mixed = scores[np.ix_(order, order)]
    np.fill_diagonal(mixed, -np.inf)
    is_text, item_groups = pool.is_text[order], pool.item_groups[order]
    rows = weights[:, np.concatenate([pool.groups, pool.text_groups])[order][~is_text]]
    found = Content()
    facts = {kind: [values[i] for i in order] for kind, values in pool.facts.items()}
    shares, expected = first_five.measure(mixed, is_text, item_groups, facts)
    found.expected.update(expected)
    for name, values in shares.items():
        found.values[name] = float(np.nanmean(values))
        found.samples[name] = bootstrap.weighted_means(values, rows)
    if any(pool.findings):
        searched = findings.Searched(
            mixed, is_text, item_groups, findings.Findings.of([pool.findings[i] for i in order])
        )
        more, samples, by_chance = findings.measure(searched, rows)
        found.values.update(more)
        found.samples.update(samples)
        found.expected.update(by_chance)
    return found


def chance(pool: Pool) -> dict[str, float]:
    """The expected values of `measure` for a random order."""
    size = len(pool.is_text)
    return measure(np.zeros((size, size)), pool, np.zeros((0, len(pool.group_names)))).expected


def by_words(
    images: FloatArray, words: FloatArray, pool: Pool, weights: Float64Array
) -> tuple[dict[str, float], Samples]:
    """The zero-shot AUROC of each finding, and its resamples; nothing where the pool has no findings."""
    if not any(pool.findings):
        return {}, {}
    return zero_shot.measure(images, words, pool.findings[: len(pool.own)], weights[:, pool.groups])
