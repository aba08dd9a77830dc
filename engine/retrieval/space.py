"""Places cases around a query for a picture of the shared space: the distance says how near, the angle which are alike.

Pure functions that know no archive. The distance from the center is exact, by the score on the one scale of images
and reports; a projection of all distances to two dimensions (MDS, PCA) would show hits far off that rank first. Only
the angle is a projection: by the first two principal components of the directions from the query, spread out evenly in
their order, so that neighbors stay neighbors and dots do not cover each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.strength import FULL, MODERATE, STRONG
from engine.store.case import Kind

SCORES = (-2.0, MODERATE, STRONG, FULL)
"""Rising; between them the distance from the center is linear. Strong hits get half of the disk: there they differ."""
DISTANCES = (1.0, 0.75, 0.55, 0.15)
"""From the center, at each of the scores."""
RINGS = ((STRONG, "Strong"), (MODERATE, "Moderate"))
"""Scores at which a ring is drawn, and the word for what lies inside it and outside the ring before."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One case in the picture."""

    case_id: int
    kind: Kind
    """Of the vector that is nearest to the query."""
    x: float
    """-1 to 1, to the right; the query is at the center of the unit disk."""
    y: float
    """-1 to 1, downward."""
    hit: bool
    """Whether it is a hit, else one of the other cases of the archive."""


def radius(score: float) -> float:
    """The distance from the center at a score, 0.15 to 1."""
    return float(np.interp(score, SCORES, DISTANCES))


def angles(query: NDArray[np.float32], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """The angles of cases around a query, radians [N]: neighbors in the plane of most variance are neighbors.

    Args:
        query: float32 [D].
        vectors: float32 [N, D].
    """
    if len(vectors) < 2:
        return np.zeros(len(vectors))
    directions = (vectors - query).astype(np.float64)
    _, _, axes = np.linalg.svd(directions - directions.mean(0), full_matrices=False)
    axes = axes[:2]
    axes *= np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(1)])[:, None]  # SVD leaves the signs open
    plane = (directions - directions.mean(0)) @ axes.T
    found = np.arctan2(plane[:, 1] if plane.shape[1] > 1 else 0.0, plane[:, 0])
    order = np.argsort(np.argsort(found, kind="stable"), kind="stable")
    return np.asarray(2 * np.pi * order / len(vectors))
