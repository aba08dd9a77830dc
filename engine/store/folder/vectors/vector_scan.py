"""Finds the best rows of a vector index by inner product, and by what else speaks for their cases. Knows no SQL."""

import numpy as np
from numpy.typing import NDArray

from engine.store.folder.vectors.faiss_index import search
from engine.store.folder.vectors.index_file import Snapshot

DEEP = 2_000
"""Rows that one scan finds at least, where others may have a higher bonus; they cost no more than few."""


def best_rows(
    snapshot: Snapshot,
    weights: NDArray[np.float32],
    count: int,
    allowed: NDArray[np.bool_],
    bonus: NDArray[np.float32] | None = None,
    nearest: int = 0,
) -> NDArray[np.int64]:
    """The rows with the largest inner product with `weights` plus their bonus, best first, as exact as the index.

    After them come the `nearest` ones by inner product alone that are not among them.

    A row that a scan left out has no larger inner product than the last one that it found. So after each scan only
    those rows are scanned again of which the bonus could still lift them among the best.

    Args:
        snapshot: the index, N rows.
        weights: float32 [D], any length.
        count: how many rows at most.
        allowed: which rows may be found, bool [N].
        bonus: added to the inner product of each row, float32 [N]; None for nothing.
        nearest: how many rows by inner product alone; at most DEEP.
    """
    if bonus is None:
        return search(snapshot.index, weights, count, allowed)[0]
    left = allowed.copy()
    rows, totals = np.zeros(0, np.int64), np.zeros(0, np.float32)
    while True:
        found, products = search(snapshot.index, weights, max(count, DEEP), left)
        rows, totals = np.concatenate([rows, found]), np.concatenate([totals, products + bonus[found]])
        left[found] = False
        if len(found) < max(count, DEEP):
            break
        least = np.partition(totals, -count)[-count]
        left &= bonus > least - products[-1]
    best = rows[np.argsort(-totals, kind="stable")[:count]]
    near = rows[:nearest]  # since the first scan was of all
    return np.concatenate([best, near[~np.isin(near, best)]])
