"""Moves a query towards cases that the user likes and away from others (relevance feedback). Knows no archive.

Rocchio's rule in the shared space (Rocchio 1971; Manning, Raghavan, Schütze, Introduction to Information Retrieval,
equation 9.3): q' = q + TOWARDS mean(liked) - AWAY mean(unliked). Images and reports lie around means of their own, so
that each vector counts by its difference from the mean of its kind; q' keeps the length of q, and with it its scores
their scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.retrieval.fusion import QueryVectors
from engine.store.score_scale import ScoreScale

TOWARDS, AWAY = 0.75, 0.25
"""Weights of the mean of the liked and of the unliked cases; the query itself has 1."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """Cases that the user said something about."""

    liked: tuple[int, ...] = ()
    """Case ids."""
    unliked: tuple[int, ...] = ()
    """Case ids; these are not found."""

    def __bool__(self) -> bool:
        return bool(self.liked or self.unliked)

    def with_case(self, case_id: int, liked: bool | None) -> "Feedback":
        """The feedback with a case liked (True), unliked (False) or neither (None)."""
        others = [tuple(one for one in group if one != case_id) for group in (self.liked, self.unliked)]
        if liked is None:
            return Feedback(*others)
        return Feedback((*others[0], case_id), others[1]) if liked else Feedback(others[0], (*others[1], case_id))


NO_FEEDBACK = Feedback()


def rocchio(
    query: NDArray[np.float32], liked: NDArray[np.float32], unliked: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The moved query float32 [D], as long as the query.

    Args:
        query: float32 [D].
        liked: float32 [N, D]; may be empty.
        unliked: float32 [M, D]; may be empty.
    """
    total = query.astype(np.float64)
    if len(liked):
        total = total + TOWARDS * liked.mean(0, dtype=np.float64)
    if len(unliked):
        total = total - AWAY * unliked.mean(0, dtype=np.float64)
    length = float(np.linalg.norm(total))
    if length < 1e-9:  # the unliked case is the query itself, and nothing else says where to go
        return query
    return np.asarray(total * (float(np.linalg.norm(query)) / length), np.float32)


def moved(
    query: QueryVectors, liked: NDArray[np.float32], unliked: NDArray[np.float32], scale: ScoreScale
) -> QueryVectors:
    """A query with each of its parts moved; `liked` and `unliked` are centered, float32 [N, D]."""

    def part(vector: NDArray[np.float32] | None, kind: str) -> NDArray[np.float32] | None:
        if vector is None:
            return None
        mean = next((mean for name, mean in scale.means.items() if name == kind), np.zeros_like(vector))
        return np.asarray(mean + rocchio(vector - mean, liked, unliked), np.float32)

    return replace(query, image=part(query.image, "image"), text=part(query.text, "report"))


def of_cases(
    groups: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]], cases: Sequence[int]
) -> NDArray[np.float32]:
    """One centered vector for each of these cases that has any, float32 [n, D]: the mean over its kinds of vectors.

    Args:
        groups: for each kind, case ids int64 [N] and their vectors float32 [N, D], centered; cases may repeat.
        cases: which cases.
    """
    rows = []
    for case in cases:
        means = [vectors[owners == case].mean(0) for owners, vectors in groups if (owners == case).any()]
        if means:
            rows.append(np.mean(means, 0, dtype=np.float64))
    dim = max((vectors.shape[1] for _, vectors in groups if len(vectors)), default=0)
    return np.asarray(rows, np.float32).reshape(len(rows), dim)
