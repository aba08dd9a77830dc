"""How much the hits of an image depend on the window at which it is shown. Knows no images and no networks."""

from itertools import combinations

import numpy as np

from training.arrays import Float32Array, Float64Array, IndexArray


def top_hits(queries: Float32Array, pool: Float32Array, k: int = 5) -> IndexArray:
    """The k nearest items of the pool by cosine.

    Args:
        queries: float32 [..., N, D], pool: float32 [P, D], unit rows.

    Returns:
        int [..., N, min(k, P)], best first.
    """
    order: IndexArray = np.argsort(-(queries @ pool.T), axis=-1, kind="stable")[..., :k]
    return order


def stability(hits: IndexArray) -> Float64Array:
    """Mean overlap of the hits of each image over all pairs of windows: 1 if every window finds the same.

    Args:
        hits: int [W, N, k], the hits of N images at W >= 2 windows; no hit twice among those of one query. The image
            itself must not be among them, since every window would find it.

    Returns:
        float64 [N], each 0 to 1.
    """
    k = hits.shape[2]
    overlaps = [(one[:, :, None] == other[:, None, :]).sum((1, 2)) / k for one, other in combinations(hits, 2)]
    mean: Float64Array = np.mean(overlaps, axis=0)
    return mean
