"""Finds the connected regions of a map and their bounding boxes. Knows nothing of what the map shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Component:
    """Bounding box of a region of the map; bottom and right are exclusive."""

    top: int
    left: int
    bottom: int
    right: int
    mean: float
    """Mean value within the region."""


def components(values: NDArray[np.floating[Any]], threshold: float) -> list[Component]:
    """The 8-connected regions of a map [H, W] in which it exceeds the threshold, from top to bottom.

    Runs of pixels within a row are joined with those that they touch in the row above (union-find).
    """
    height, width = values.shape
    mask = np.zeros((height, width + 2), np.int8)
    mask[:, 1:-1] = values > threshold
    steps = np.diff(mask, axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    if not len(rows):
        return []
    roots, group = np.unique(_roots(rows.tolist(), starts.tolist(), ends.tolist()), return_inverse=True)
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    total = np.bincount(group, sums[rows * width + ends] - sums[rows * width + starts])
    mean = total / np.bincount(group, ends - starts)
    top, left, bottom, right = (np.full(len(roots), start) for start in (height, width, 0, 0))
    np.minimum.at(top, group, rows)
    np.minimum.at(left, group, starts)
    np.maximum.at(bottom, group, rows + 1)
    np.maximum.at(right, group, ends)
    return [Component(*sides) for sides in zip(*(each.tolist() for each in (top, left, bottom, right, mean)))]


def _roots(rows: list[int], starts: list[int], ends: list[int]) -> list[int]:
    """The first run of the region of each run; runs are in reading order, ends exclusive."""
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = run = parent[parent[run]]
        return run

    first = 0  # the first run above that may still touch
    for run, row in enumerate(rows):
        while rows[first] < row - 1 or (rows[first] == row - 1 and ends[first] < starts[run]):
            first += 1
        above = first
        while rows[above] == row - 1 and starts[above] <= ends[run]:
            one, other = root(above), root(run)
            parent[max(one, other)] = min(one, other)
            above += 1
    return [root(run) for run in parent]
