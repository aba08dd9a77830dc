"""The file that keeps a vector index between sessions. Knows no SQL and no search.

The file is a magic line, a line with the checksum and the stamp, the arrays of row ids, and the faiss index. It is
written in one step and checked as a whole when it is read; a damaged file counts as missing.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.store.encryption.derived_file import open_derived, write_derived
from engine.store.nearest_index import Stamp
from engine.store.safety.json_file import parse_json

_faiss: Any = faiss  # its type stubs describe the C++ signatures, not those of its Python wrappers
MAGIC = b"kindred vectors 2\n"


@dataclass(slots=True)
class Snapshot:
    """A vector index in memory; row n of each array belongs to vector n of the faiss index."""

    stamp: Stamp
    ids: NDArray[np.int64]
    """Embedding ids, int64 [N]."""
    is_image: NDArray[np.bool_]
    """Whether the embedding is of an image, else of a report, bool [N]."""
    cases: NDArray[np.int64]
    """Case ids, int64 [N]."""
    index: Any
    """The faiss index of N vectors."""
    alive: NDArray[np.bool_] | None = None
    """Which rows the database still has, bool [N]; None for all. A file never has others."""


def write(path: Path, snapshot: Snapshot) -> None:
    """Write the file in one step, readable by its owner only. Raises OSError."""
    graph = faiss.serialize_index(snapshot.index).tobytes()
    body = b"".join([snapshot.ids.tobytes(), snapshot.is_image.tobytes(), snapshot.cases.tobytes(), graph])
    stamp = json.dumps(asdict(snapshot.stamp)).encode() + b"\n"
    write_derived(path, [MAGIC, checksum(stamp, body), b" ", stamp, body])


def read(path: Path) -> Snapshot | None:
    """The content of the file; None when it is missing or damaged."""
    try:
        with open_derived(path) as file:
            if file.read(len(MAGIC)) != MAGIC:
                return None
            expected, _, stamp = file.readline().partition(b" ")
            body = file.read()
        return _parsed(stamp, body) if expected == checksum(stamp, body) else None
    except Exception:  # faiss promises no exception type for damaged input
        return None


def checksum(stamp: bytes, body: bytes) -> bytes:
    """SHA-256, in hexadecimal, of what follows it in the file: the stamp with its line end, and the body."""
    digest = hashlib.sha256(stamp)
    digest.update(body)
    return digest.hexdigest().encode()


def _parsed(stamp: bytes, body: bytes) -> Snapshot:
    parsed = Stamp(**parse_json(stamp))
    n = parsed.count
    return Snapshot(
        parsed,
        np.frombuffer(body, np.int64, n),
        np.frombuffer(body, np.bool_, n, 8 * n),
        np.frombuffer(body[9 * n : 17 * n], np.int64, n),
        _index_of(memoryview(body)[17 * n :]),
    )


def _index_of(content: memoryview) -> Any:
    """The faiss index in these bytes, of which `faiss.deserialize_index` would make a copy first."""
    done = 0

    def following(size: int) -> bytes:
        nonlocal done
        done += size
        return bytes(content[done - size : done])

    return faiss.read_index(_faiss.PyCallbackIOReader(following))
