"""findings@k: do the hits show what the query shows? On sources whose findings are MeSH terms (IU X-ray).

Definitions: docs/method.md, "Metrics". Knows no models and no files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.arrays import BoolArray, Float64Array
from training.data.known_facts import NORMAL
from training.metrics.retrieval import shared_groups
from training.metrics.shares import chance_share, macro_resamples, share_at

K = 5
MIN_QUERIES = 5
"""Images that must have a finding for it to count in the macro average: the share of fewer is a coin toss."""


@dataclass(frozen=True)
class Findings:
    """Which of F findings (one of them may be NORMAL) each of P items has."""

    names: list[str]
    has: BoolArray
    """[P, F]"""

    @classmethod
    def of(cls, items: Sequence[frozenset[str]]) -> "Findings":
        """The findings of items, each a set of names."""
        names = sorted(set().union(*items))
        number = {name: column for column, name in enumerate(names)}
        has = np.zeros((len(items), len(names)), bool)
        for row, found in enumerate(items):
            has[row, [number[name] for name in found]] = True
        return cls(names, has)


@dataclass(frozen=True)
class Searched:
    """The searches that findings@k judges: images are the queries, all items are candidates in one index."""

    scores: Float64Array
    """[N + T, N + T] of images and unique texts, images first, in one scale; -inf removes a candidate."""
    is_text: BoolArray
    """[N + T]"""
    item_groups: BoolArray
    """[N + T, G]"""
    findings: Findings


def kinds_of_hit(is_text: BoolArray) -> Mapping[str, BoolArray]:
    """The candidates [P] by kind of hit: images alone, reports alone, both in one index."""
    return {"image": np.logical_not(is_text), "report": is_text, "index": np.ones(len(is_text), bool)}


def measure(
    searched: Searched, image_weights: Float64Array, k: int = K
) -> tuple[dict[str, float], dict[str, Float64Array], dict[str, float]]:
    """findings@k by kind of hit, over all image queries and over the abnormal ones.

    Names: findings@5_KIND, findings@5_KIND_abnormal, and both with "_others", where everything of the query's own group
    is removed first (its report and its other view), so that only other patients are found.

    Args:
        image_weights: float64 [draws, N], how often each image was drawn in each resample.

    Returns:
        values, resamples, and the expected values of a random order.
    """
    images = np.flatnonzero(~searched.is_text)
    has = searched.findings.has[images]
    agrees = shared_groups(searched.findings.has)[images]
    counted: BoolArray = np.asarray(searched.findings.has.any(1))
    own = shared_groups(searched.item_groups)[images]
    abnormal: BoolArray = np.array([name != NORMAL for name in searched.findings.names])
    common = has.sum(0) >= MIN_QUERIES
    values: dict[str, float] = {}
    samples: dict[str, Float64Array] = {}
    expected: dict[str, float] = {}
    base: BoolArray = np.isfinite(searched.scores[images]) & counted[None, :]
    strangers: BoolArray = base & ~own
    for kind, candidates in kinds_of_hit(searched.is_text).items():
        for others, allowed in (("", base), ("_others", strangers)):
            open_ = allowed & candidates[None, :]
            shares = share_at(np.where(open_, searched.scores[images], -np.inf), agrees, k)
            by_chance = chance_share(agrees, open_)
            for suffix, columns in (("", common), ("_abnormal", common & abnormal)):
                name = f"findings@{k}_{kind}{suffix}{others}"
                labels = has[:, columns]
                once = np.ones((1, len(images)))
                values[name] = float(macro_resamples(shares, labels, once)[0])
                expected[name] = float(macro_resamples(by_chance, labels, once)[0])
                samples[name] = macro_resamples(shares, labels, image_weights)
    return values, samples, expected
