"""Figures of embedded pairs: gap, recall, findings by words. Pure numpy; does not know bundles or archives.

Definitions as in docs/method.md, "Metrics": images float32 [N, D] and the different texts float32 [T, D], unit rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.models.heads import Rows
from engine.text.conflicts import claims
from engine.text.sentences import sentences

TOP = 10
FINDINGS = (
    *("abscess", "aneurysm", "atelectasis", "calcification", "cardiomegaly", "consolidation", "cyst", "edema"),
    *("effusion", "emphysema", "fibrosis", "fracture", "granuloma", "hematoma", "hemorrhage", "hernia", "infarct"),
    *("lesion", "mass", "metastasis", "nodule", "opacity", "pneumonia", "pneumothorax", "scoliosis", "stenosis"),
    *("stone", "thrombus", "tumor"),
)
"""Words by which images are asked for, if enough reports name them. Others are not measured."""
FEWEST = 5
"""Images with and without a finding that its figure needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Embedded pairs."""

    images: Rows
    texts: Rows
    text_of: NDArray[np.intp]
    """int [N]: the row in `texts` of each image's report."""
    persons: NDArray[np.intp]
    """int [N], 0 to P - 1: whom each image belongs to."""

    @property
    def paired(self) -> Rows:
        """The text of each image, float32 [N, D]."""
        return self.texts[self.text_of]


def hits(pairs: Embedded) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whether the own report is among the first ten texts of each image, and one of its images among those of a report.

    float64 [N] and [T], 0 or 1; ties count as half of them above.
    """
    scores = pairs.images @ pairs.texts.T
    own = np.zeros(scores.shape, dtype=bool)
    own[np.arange(len(own)), pairs.text_of] = True
    return _in_top(scores, own), _in_top(scores.T, own.T)


def _in_top(scores: Rows, own: NDArray[np.bool_]) -> NDArray[np.float64]:
    best = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
    above, tied = ((scores > best) & ~own).sum(axis=1), ((scores == best) & ~own).sum(axis=1)
    return np.asarray(1 + above + tied / 2 <= TOP, np.float64)


def chance(pairs: Embedded) -> tuple[float, float]:
    """Expected recall at 10 of a random order, image to text and text to image."""
    images_of = np.bincount(pairs.text_of, minlength=len(pairs.texts))
    count = len(pairs.images)
    missed = np.ones(len(images_of))
    for drawn in range(min(TOP, count)):
        missed *= np.maximum(0, count - images_of - drawn) / (count - drawn)
    return min(1.0, TOP / len(pairs.texts)), float(1 - missed.mean())


def gap(pairs: Embedded, times: NDArray[np.float64] | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The gap, and its floor: what remains when image and text vectors are swapped at random within whole patients.

    The floor is the root of its expected square, which a swap of P independent patients has in closed form.

    Args:
        times: float64 [draws, P], how often each patient is drawn; None for each once.

    Returns:
        float64 [draws] each.
    """
    apart = np.zeros((int(pairs.persons.max()) + 1, pairs.images.shape[1]))
    np.add.at(apart, pairs.persons, pairs.images.astype(np.float64) - pairs.paired)
    drawn = np.ones((1, len(apart))) if times is None else times
    count = drawn @ np.bincount(pairs.persons)
    squares = (apart * apart).sum(axis=1)
    return np.linalg.norm(drawn @ apart, axis=1) / count, np.sqrt(drawn @ squares) / count


def findings_of(reports: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """For each finding that enough reports affirm, and enough do not: bool [reports], whether it is affirmed."""
    affirmed = [frozenset().union(*(claims(one).affirmed for one in sentences(text))) for text in reports]
    found = {name: np.array([name in words for words in affirmed], bool) for name in FINDINGS}
    return {name: has for name, has in found.items() if min(has.sum(), (~has).sum()) >= FEWEST}


def auroc_by_words(
    pairs: Embedded, words: Mapping[str, Rows], has: Mapping[str, NDArray[np.bool_]]
) -> dict[str, float]:
    """How well the word alone ranks the images with a finding above those without; 0.5 by chance.

    Args:
        words: the embedding float32 [D] of each finding's word.
        has: bool [N] for each finding.
    """
    return {name: auroc(pairs.images @ words[name], has[name]) for name in has}


def auroc(scores: Rows, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the share of pairs of one positive and one other that are in order, ties half."""
    others = np.sort(scores[~positive])
    mine = scores[positive]
    below = np.searchsorted(others, mine, "left") + np.searchsorted(others, mine, "right")
    return float(below.mean() / 2 / len(others))
