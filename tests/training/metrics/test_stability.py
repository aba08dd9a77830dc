"""How much a window changes the hits."""

import numpy as np
import pytest

from training.metrics.stability import stability, top_hits


def test_the_same_hits_in_another_order_are_stable_and_other_hits_are_not() -> None:
    hits = np.array([[[0, 1], [0, 1]], [[1, 0], [2, 3]], [[0, 1], [0, 4]]])
    assert stability(hits) == pytest.approx([1.0, (0.0 + 0.5 + 0.0) / 3])


def test_the_nearest_items_are_the_hits_of_every_window() -> None:
    pool = np.eye(4, dtype=np.float32)
    queries = np.array([[[0.9, 0.4, 0.1, 0.0]], [[0.1, 0.9, 0.4, 0.0]]], np.float32)
    assert top_hits(queries, pool, 2).tolist() == [[[0, 1]], [[1, 2]]]
    assert stability(top_hits(queries, pool, 2)).tolist() == [0.5]
