"""Other ways to find the nearest of many vectors, for comparison: faiss flat, faiss HNSW and sqlite-vec."""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Find = Callable[[NDArray[np.float32]], NDArray[np.int64]]
"""The rows of the ten nearest vectors of a query, float32 [D]."""
TOP = 10


@dataclass(frozen=True, slots=True)
class Method:
    """One way to find them."""

    name: str
    seconds: float
    """Of building."""
    size: float
    """Bytes in memory or on the disk."""
    find: Find


def baselines(vectors: NDArray[np.float32]) -> Iterator[Method]:
    """Each is built when it is asked for, of unit vectors float32 [N, D]."""
    yield _faiss("faiss flat, exact, float32", faiss.IndexFlatIP(vectors.shape[1]), vectors)
    yield _hnsw(vectors)
    yield _sqlite_vec(vectors)


def _faiss(name: str, index: Any, vectors: NDArray[np.float32]) -> Method:
    start = time.perf_counter()
    index.add(vectors)
    seconds = time.perf_counter() - start
    return Method(name, seconds, len(faiss.serialize_index(index)), lambda query: index.search(query[None], TOP)[1][0])


def _hnsw(vectors: NDArray[np.float32]) -> Method:
    index = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efSearch = 64
    return _faiss("faiss HNSW, 32 links, efSearch 64, float32", index, vectors)


def _sqlite_vec(vectors: NDArray[np.float32]) -> Method:
    import apsw  # this extension cannot be loaded by Python's own sqlite3
    import sqlite_vec

    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "vectors.sqlite"
    start = time.perf_counter()
    db = apsw.Connection(str(path))
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute(f"CREATE VIRTUAL TABLE rows USING vec0 (vector float[{vectors.shape[1]}])")
    with db:
        db.executemany(
            "INSERT INTO rows (rowid, vector) VALUES (?, ?)", ((n, v.tobytes()) for n, v in enumerate(vectors))
        )
    seconds = time.perf_counter() - start

    def find(query: NDArray[np.float32], kept: Any = folder) -> NDArray[np.int64]:
        nearest = "SELECT rowid FROM rows WHERE vector MATCH ? AND k = ?"
        unit = query / np.linalg.norm(query)  # distances of unit vectors rank as their cosines
        return np.array([row[0] for row in db.execute(nearest, (unit.astype(np.float32).tobytes(), TOP))], np.int64)

    return Method("sqlite-vec, exact, float32", seconds, path.stat().st_size, find)
