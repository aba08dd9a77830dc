"""One nearest-neighbour index for image and report vectors, derived from the archive. Knows no scores' meaning.

SQLite stays the truth: the index is loaded from its file when that is intact and belongs to these rows, extended by
rows that came later, and rebuilt otherwise. Up to FLAT_LIMIT vectors it is exact; beyond, an 8-bit scan picks
candidates (recall 0.99 at 100,000) and more of them than asked. In both cases the caller gets the vectors themselves
and ranks those exactly.
"""

import hashlib
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.store.case import Kind

_log = logging.getLogger("kindred")
_faiss: Any = faiss  # its type stubs describe the C++ signatures, not those of its Python wrappers

FILE = "vectors.index"
FLAT_LIMIT = 50_000  # float32 [50000, 512] is 100 MB; a flat scan of it takes a few milliseconds
SAVE_AFTER = 1_000  # later rows than these are written to the file again; fewer are cheap to read from SQLite
PAGE = 20_000
MAGIC = b"kindred vectors 2\n"
# One statement, so that rows of one bundle are never taken for those of another while the archive moves to it. The
# index on case_id holds all ids, so counting never touches the vectors.
STAMP = """SELECT count(*), coalesce(max(id), 0), (SELECT value FROM settings WHERE name = 'bundle_id')
    FROM embeddings"""

IndexState = Literal["intact", "behind", "missing", "stale", "damaged"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which embeddings rows an index holds: those up to `last_id`, `count` of them, of one bundle."""

    count: int
    last_id: int
    bundle_id: str | None


@dataclass(slots=True)
class _Snapshot:
    """Rows by position: embedding id int64 [N], is it an image bool [N], case id int64 [N]; and the faiss index."""

    stamp: Stamp
    ids: NDArray[np.int64]
    is_image: NDArray[np.bool_]
    cases: NDArray[np.int64]
    index: Any


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Candidates: embedding ids int64 [n], case ids int64 [n], unit vectors float32 [n, D]; all: none were left out."""

    ids: NDArray[np.int64]
    cases: NDArray[np.int64]
    vectors: NDArray[np.float32]
    all: bool


class VectorIndex:
    """The index of one archive; threads may share it."""

    def __init__(self, folder: Path, read: Callable[..., list[Any]]) -> None:
        self.path = folder / FILE
        self._read = read
        self._lock = threading.RLock()
        self._snapshot: _Snapshot | None = None

    def nearest(
        self,
        weights: NDArray[np.float32],
        kind: Kind,
        count: int,
        cases: NDArray[np.int64] | None = None,
        bundle_id: str | None = None,
    ) -> Neighbours:
        """The vectors of one kind with the largest inner product with `weights`.

        Args:
            weights: float32 [D], any length.
            kind: images or reports.
            count: how many at most.
            cases: case ids that may be returned; None for all.
            bundle_id: the bundle that made `weights`; None when no model made them.

        Raises:
            UserError: the vectors are of another bundle, also when the archive moved to it a moment ago.
        """
        while True:
            with self._lock:
                snapshot = self._current()
                made_by = snapshot.stamp.bundle_id
                if bundle_id is not None and made_by is not None and made_by != bundle_id:
                    raise UserError(
                        f"The archive {self.path.parent} holds vectors of another model ({made_by[:12]}, not "
                        f"{bundle_id[:12]}); open that model and search again.",
                        self.path.parent,
                    )
                mask = snapshot.is_image if kind == "image" else ~snapshot.is_image
                if cases is not None:
                    mask = mask & np.isin(snapshot.cases, cases)
                total = int(mask.sum())
                positions = _scan(snapshot, weights, mask, min(count, total))
                ids, owners = snapshot.ids[positions], snapshot.cases[positions]
            vectors = self._stored(ids)
            if vectors is not None:  # else a report or the whole archive got new vectors meanwhile
                return Neighbours(ids, owners, vectors, len(ids) == total)

    def _stored(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """The vectors of these embedding ids, in their order, float32 [n, D], normalised again; None if one is gone."""
        found: dict[int, bytes] = {}
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500].tolist()
            marks = ", ".join("?" * len(some))
            found.update(self._read(f"SELECT id, vector FROM embeddings WHERE id IN ({marks})", some))
        if len(found) < len(ids):
            return None
        if not found:
            return np.zeros((0, 0), np.float32)
        joined = b"".join([found[one] for one in ids.tolist()])
        return _unit(np.frombuffer(joined, "<f2").reshape(len(ids), -1))

    def refresh(self, save: bool = False) -> None:
        """Bring the index up to the archive's rows; `save` writes the file also when little was added.

        Raises:
            UserError: with `save`, the file cannot be written. A search goes on without.
        """
        with self._lock:
            self._current()
            try:
                if save and self.state() != "intact":
                    self._save()
            except OSError as error:
                reason = f"The search index {self.path} cannot be written: {error.strerror}."
                raise UserError(reason, self.path) from None

    def state(self) -> IndexState:
        """What stands in the file: intact, behind (later rows are missing), missing, stale or damaged."""
        if not self.path.is_file():
            return "missing"
        loaded = self._load()
        if loaded is None:
            return "damaged"
        if loaded.stamp == self._wanted():
            return "intact"
        return "behind" if self._is_prefix(loaded.stamp) else "stale"

    # -- keeping up with SQLite

    def _wanted(self) -> Stamp:
        return Stamp(*self._read(STAMP)[0])

    def _is_prefix(self, stamp: Stamp) -> bool:
        return Stamp(*self._read(f"{STAMP} WHERE id <= ?", [stamp.last_id])[0]) == stamp

    def _current(self) -> _Snapshot:
        wanted = self._wanted()
        snapshot = self._snapshot
        if snapshot is not None and snapshot.stamp == wanted:
            return snapshot
        if snapshot is None or not self._is_prefix(snapshot.stamp):
            snapshot = self._load()
        if snapshot is None or not self._is_prefix(snapshot.stamp) or _outgrown(snapshot, wanted.count):
            snapshot = self._rebuild(wanted)
            self._snapshot = snapshot
            self._try_save()
        else:
            added = wanted.count - snapshot.stamp.count
            snapshot = self._extended(snapshot, wanted)
            self._snapshot = snapshot
            if added >= SAVE_AFTER:
                self._try_save()
        return snapshot

    def _rows(self, after: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], Any]:
        """Rows with after < id <= last: ids, is image, case ids, unit vectors float32 [n, D]."""
        meta: list[tuple[int, bool, int]] = []
        pages: list[NDArray[np.float32]] = []
        while True:
            rows = self._read(
                "SELECT id, kind = 'image', case_id, vector FROM embeddings WHERE id > ? AND id <= ? "
                "ORDER BY id LIMIT ?",
                [after, last, PAGE],
            )
            if not rows:
                break
            meta += [(row[0], bool(row[1]), row[2]) for row in rows]
            sizes = {len(row[3]) for row in rows}
            if len(sizes) != 1 or (pages and sizes != {2 * pages[0].shape[1]}):
                raise UserError(
                    f"The vectors in {self.path.parent} differ in length; restore the archive's backup.",
                    self.path.parent,
                )
            pages.append(_unit(np.frombuffer(b"".join(row[3] for row in rows), "<f2").reshape(len(rows), -1)))
            after = rows[-1][0]
        vectors = np.concatenate(pages) if pages else np.zeros((0, 1), np.float32)
        ids, is_image, cases = (np.array([row[i] for row in meta]) for i in range(3))
        return ids.astype(np.int64), is_image.astype(np.bool_), cases.astype(np.int64), vectors

    def _rebuild(self, wanted: Stamp) -> _Snapshot:
        ids, is_image, cases, vectors = self._rows(0, wanted.last_id)
        dim = vectors.shape[1]
        index: Any
        if len(ids) <= FLAT_LIMIT:
            index = faiss.IndexFlatIP(dim)
        else:
            index = faiss.IndexScalarQuantizer(dim, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
            index.train(vectors)
        index.add(vectors)
        return _Snapshot(Stamp(len(ids), wanted.last_id, wanted.bundle_id), ids, is_image, cases, index)

    def _extended(self, snapshot: _Snapshot, wanted: Stamp) -> _Snapshot:
        ids, is_image, cases, vectors = self._rows(snapshot.stamp.last_id, wanted.last_id)
        if len(ids):
            snapshot.index.add(vectors)
        ids = np.concatenate([snapshot.ids, ids])
        return _Snapshot(
            Stamp(len(ids), wanted.last_id, wanted.bundle_id),
            ids,
            np.concatenate([snapshot.is_image, is_image]),
            np.concatenate([snapshot.cases, cases]),
            snapshot.index,
        )

    # -- the file: magic line, line with checksum and stamp, then the arrays and the faiss index

    def _try_save(self) -> None:
        """Save, or go on without: the index is in memory, and the next start makes it again."""
        try:
            self._save()
        except OSError as error:
            _log.warning("The search index was not saved: %s.", error.strerror)

    def _save(self) -> None:
        """Write the file in one step. Raises OSError."""
        snapshot = self._snapshot
        assert snapshot is not None
        graph = faiss.serialize_index(snapshot.index).tobytes()
        body = b"".join([snapshot.ids.tobytes(), snapshot.is_image.tobytes(), snapshot.cases.tobytes(), graph])
        stamp = json.dumps(asdict(snapshot.stamp)).encode() + b"\n"
        descriptor, name = tempfile.mkstemp(".new", f"{FILE}.", self.path.parent)  # for the owner only
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines([MAGIC, checksum(stamp, body), b" ", stamp, body])
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _load(self) -> _Snapshot | None:
        """What the file holds; None when it is missing or damaged, which rebuilding heals."""
        try:
            with self.path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    return None
                said, _, stamp = file.readline().partition(b" ")
                body = file.read()
            return _parsed(stamp, body) if said == checksum(stamp, body) else None
        except Exception:  # faiss promises no exception type for damaged input
            return None


def checksum(stamp: bytes, body: bytes) -> bytes:
    """SHA-256 in hexadecimal of what follows it in the file: the stamp with its line end, and the body."""
    digest = hashlib.sha256(stamp)
    digest.update(body)
    return digest.hexdigest().encode()


def _parsed(stamp: bytes, body: bytes) -> _Snapshot:
    held = Stamp(**json.loads(stamp))
    n = held.count
    return _Snapshot(
        held,
        np.frombuffer(body, np.int64, n),
        np.frombuffer(body, np.bool_, n, 8 * n),
        np.frombuffer(body[9 * n : 17 * n], np.int64, n),
        faiss.deserialize_index(np.frombuffer(body, np.uint8, offset=17 * n)),
    )


def _scan(snapshot: _Snapshot, weights: NDArray[np.float32], mask: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    """Positions of the best `count` rows where `mask` holds, best first."""
    if count == 0:
        return np.zeros(0, np.int64)
    bits = np.packbits(mask, bitorder="little")
    parameters = _faiss.SearchParameters(sel=_faiss.IDSelectorBitmap(bits))
    query = np.ascontiguousarray(weights[None], np.float32)
    _, positions = snapshot.index.search(query, count, params=parameters)
    return np.asarray(positions[0][positions[0] >= 0], np.int64)


def _outgrown(snapshot: _Snapshot, count: int) -> bool:
    """An exact index past its limit, an 8-bit one whose ranges were learnt on half as many, or an empty one."""
    if isinstance(snapshot.index, faiss.IndexFlat):
        return count > FLAT_LIMIT or (snapshot.stamp.count == 0 and count > 0)
    return count > 2 * snapshot.stamp.count


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    wide = vectors.astype(np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12), np.float32)
