"""Which faiss index holds how many vectors, and searching it. Knows no SQL and no file.

Up to FLAT_LIMIT vectors the index is exact. Beyond, vectors have 8 bits a number. From LISTS_FROM on they lie in lists
around centroids, of which a search reads those nearest to the query (IVF; Jégou, Douze, Schmid: Product quantization
for nearest neighbor search, IEEE TPAMI 33 (1), 2011), so that its time hardly grows with the archive.
"""

from collections.abc import Callable
from math import ceil, isqrt
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

_faiss: Any = faiss  # its type stubs describe the C++ signatures, not those of its Python wrappers

FLAT_LIMIT = 50_000
"""float32 [50000, 512] is 100 MB; a flat scan of it takes a few milliseconds."""
LISTS_FROM = 250_000
"""A scan of fewer vectors of 8 bits takes less than 20 ms."""
PER_LIST = 40
"""Vectors that a centroid is trained on, as faiss advises."""
SCANNED = 30_000
"""Vectors that a search of lists reads; recall@10 is above .99 with 10,000 of one million (docs/benchmarks.md)."""


def new_index(count: int, dim: int, sample: Callable[[int], NDArray[np.float32]]) -> Any:
    """An empty trained index for so many vectors.

    Args:
        count: how many vectors it is going to hold.
        dim: numbers of a vector.
        sample: gives about so many of the vectors, float32 [n, dim], to train on.
    """
    metric, eight_bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
    if count <= FLAT_LIMIT:
        return faiss.IndexFlatIP(dim)
    if count < LISTS_FROM:
        scan = faiss.IndexScalarQuantizer(dim, eight_bits, metric)
        scan.train(sample(FLAT_LIMIT))
        return scan
    lists = faiss.IndexIVFScalarQuantizer(faiss.IndexFlatIP(dim), dim, isqrt(count), eight_bits, metric, False)
    lists.train(sample(PER_LIST * lists.nlist))
    return lists


def is_outgrown(index: Any, count: int) -> bool:
    """Whether so many vectors belong in an index of another kind, or with more lists."""
    if isinstance(index, faiss.IndexFlat):
        return count > FLAT_LIMIT
    if isinstance(index, faiss.IndexIVF):
        return count > 4 * index.nlist**2
    return count >= LISTS_FROM


def search(
    index: Any, query: NDArray[np.float32], count: int, allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The best allowed rows and their inner products with a query, float32 [D], best first."""
    among = int(np.count_nonzero(allowed))
    count = min(count, among)
    if count == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    selector = _faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    parameters = _faiss.SearchParameters(sel=selector)
    if isinstance(index, faiss.IndexIVF):
        # More where few rows are allowed, or many are asked for: else the lists would hold too few of them.
        lists = min(index.nlist, ceil(index.nlist * max(SCANNED, 4 * count) / among))
        parameters = _faiss.SearchParametersIVF(sel=selector, nprobe=lists)
    products, rows = index.search(np.ascontiguousarray(query[None], np.float32), count, params=parameters)
    found = rows[0] >= 0
    return np.asarray(rows[0][found], np.int64), np.asarray(products[0][found], np.float32)
