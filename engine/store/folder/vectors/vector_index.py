"""The nearest-neighbor index of image and report vectors, derived from the archive. Knows no score scale.

The database is the only truth: the index is loaded from its file when that is intact and matches the rows, extended by
later rows, and without the deleted ones; else it is built anew, in steps that a killed process leaves to the next one.
A large index is not exact (faiss_index.py): it selects candidates, more than asked for, and the caller gets the vectors
themselves and ranks by those.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.store.case import Kind
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters
from engine.store.folder.vectors import index_file
from engine.store.folder.vectors.faiss_index import is_outgrown, new_index
from engine.store.folder.vectors.index_file import Snapshot
from engine.store.folder.vectors.vector_scan import best_rows
from engine.store.nearest_index import IndexState, Neighbors, Rows, Stamp, require_bundle, unit_rows
from engine.store.shared_sql import read_many

_log = logging.getLogger("kindred")

FILE = "vectors.index"
SAVE_AFTER = 1_000
"""The file is written again when it lacks this many rows; fewer are quickly read from SQLite."""
STEP = 200_000
"""While it is built, the file is written after so many rows."""
PAGE = 20_000
# One statement, so that rows of one bundle are never taken for those of another while the archive is re-indexed. The
# index on case_id contains all ids, so that counting never reads the vectors.
STAMP = """SELECT count(*), coalesce(max(id), 0), (SELECT value FROM settings WHERE name = 'bundle_id')
    FROM embeddings"""
IDS = "SELECT id FROM embeddings WHERE id <= ? ORDER BY id"
ROWS = "SELECT id, kind = 'image', case_id, vector FROM embeddings WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"


class _Replaced(Exception):
    """The rows that were counted are gone: the archive was re-indexed meanwhile."""


class VectorIndex:
    """The index of one archive; threads may share it."""

    def __init__(
        self,
        folder: Path,
        read: Callable[..., list[Any]],
        version: Callable[[], object] = lambda: object(),
        allowed: Callable[[Filters], NDArray[np.int64] | None] = lambda _: None,
        by_case: Callable[[FactBonus], NDArray[np.float32]] = lambda _: np.zeros(0, np.float32),
    ) -> None:
        """Make the index of an archive; nothing is read yet.

        Args:
            folder: of the archive.
            read: reads its database.
            version: differs from an earlier one whenever the rows may have changed (LocalDatabase).
            allowed: the ids of the cases that filters allow, int64 [N]; None for all.
            by_case: what a bonus adds to each case: entry n for case n, float32 [n]; nothing beyond the end.
        """
        self.path = folder / FILE
        self._read, self._version, self._allowed, self._by_case = read, version, allowed, by_case
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._checked: object = None
        """The version at which the snapshot was last compared with the rows."""

    def nearest(
        self,
        weights: NDArray[np.float32],
        kind: Kind,
        count: int,
        filters: Filters = ANY,
        bundle_id: str | None = None,
        *,
        bonus: FactBonus = NO_BONUS,
        nearest: int = 0,
    ) -> Neighbors:
        """As NearestIndex."""
        cases = self._allowed(replace(filters, kinds=(), excluded=()))
        by_case = self._by_case(bonus) if bonus else np.zeros(0, np.float32)
        while True:
            with self._lock:
                snapshot = self._current_of(bundle_id)
                mask = snapshot.is_image if kind == "image" else ~snapshot.is_image
                if snapshot.alive is not None:
                    mask = mask & snapshot.alive
                if cases is not None:
                    mask = mask & np.isin(snapshot.cases, cases)
                if filters.excluded:
                    mask = mask & np.isin(snapshot.cases, np.array([*filters.excluded]), invert=True)
                total = int(np.count_nonzero(mask))
                of_rows = bonus_of(by_case, snapshot.cases) if len(by_case) else None
                rows = best_rows(snapshot, weights, count, mask, of_rows, nearest)
                ids, owners = snapshot.ids[rows], snapshot.cases[rows]
            vectors = self.vectors(ids)
            if vectors is not None:  # else a report was replaced or the archive re-indexed meanwhile
                return Neighbors(ids, owners, vectors, bonus_of(by_case, owners), len(ids) == total)

    def of_cases(
        self, case_ids: Sequence[int], kind: Kind, bundle_id: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """All vectors of one kind that these cases have: case ids int64 [n], unit vectors float32 [n, D].

        Raises:
            UserError: another bundle made the vectors.
        """
        while True:
            rows = self.rows(bundle_id)
            mask = (rows.is_image == (kind == "image")) & np.isin(rows.cases, np.asarray(case_ids, np.int64))
            vectors = self.vectors(rows.ids[mask])
            if vectors is not None:  # else a report was replaced meanwhile
                return rows.cases[mask], vectors

    def rows(self, bundle_id: str | None = None) -> Rows:
        """The rows that the index contains now.

        Raises:
            UserError: another bundle made the vectors.
        """
        with self._lock:
            snapshot = self._current_of(bundle_id)
            kept = slice(None) if snapshot.alive is None else snapshot.alive
            columns = (snapshot.ids[kept], snapshot.is_image[kept], snapshot.cases[kept])
            return Rows(snapshot.stamp.bundle_id, *columns)

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """The unit vectors of these embedding ids, in their order, float32 [n, D]; None if one no longer exists.

        Raises:
            UserError: one exists and cannot be read.
        """
        found = dict(read_many(self._read, "SELECT id, vector FROM embeddings WHERE id IN ({})", ids.tolist()))
        missing = [one for one in ids.tolist() if one not in found]
        if missing:
            with self._lock:
                snapshot = self._snapshot
            if snapshot is not None:
                there = snapshot.ids if snapshot.alive is None else snapshot.ids[snapshot.alive]
                if np.isin(missing, there).any() and snapshot.stamp == self._database_stamp():
                    raise self._damaged()  # nothing was replaced: waiting for that would not end
            return None
        if not found:
            return np.zeros((0, 0), np.float32)
        return self._decoded([found[one] for one in ids.tolist()])

    def _decoded(self, stored: list[Any]) -> NDArray[np.float32]:
        """Unit vectors float32 [n, D] of n stored ones. UserError when one is not a vector like the others."""
        try:
            if not stored[0] or len({len(one) for one in stored}) != 1:
                raise ValueError
            wide = np.frombuffer(b"".join(stored), "<f2").reshape(len(stored), -1)
        except (TypeError, ValueError):  # a text, a number, or of an odd length
            raise self._damaged() from None
        if not np.isfinite(wide).all():
            raise self._damaged()
        return unit_rows(wide)

    def _damaged(self) -> UserError:
        folder = self.path.parent
        return UserError(f"The vectors in {folder} are damaged; restore the archive from its backup.", folder)

    def refresh(self, save: bool = False, anew: bool = False) -> None:
        """Bring the index up to date with the database; `save` writes the file even after few changes.

        An index that has outgrown its kind, or has rows that were deleted, is built anew; searches go on meanwhile.
        With `anew`, whatever the file and the memory hold is thrown away first.

        Raises:
            UserError: with `save`, the file cannot be written. A search does not need it.
        """
        try:
            with self._lock:
                if anew:
                    self._snapshot = None
                    self.path.unlink(missing_ok=True)
                old = self._current()
            replaced = old.alive is not None or is_outgrown(old.index, old.stamp.count)
            if replaced:
                built = self._built(self._database_stamp())
                with self._lock:
                    self._snapshot, self._checked = built, None
                    self._current()
            with self._lock:
                # Where rows were deleted meanwhile, the file is written by who deleted them.
                kept = self._snapshot if self._snapshot is not None and self._snapshot.alive is None else None
                if save and kept is not None and (replaced or self.state() != "intact"):
                    index_file.write(self.path, kept)
        except OSError as error:
            reason = f"The search index {self.path} cannot be written: {error.strerror}."
            raise UserError(reason, self.path) from None

    def state(self) -> IndexState:
        """State of the file: intact, behind (lacks later rows), missing, stale (of other rows) or damaged."""
        if not self.path.is_file():
            return "missing"
        loaded = index_file.read(self.path)
        if loaded is None:
            return "damaged"
        if loaded.stamp == self._database_stamp():
            return "intact"
        return "behind" if self._prefix(loaded.stamp.last_id) == loaded.stamp else "stale"

    # -- keeping up with the database

    def _current_of(self, bundle_id: str | None) -> Snapshot:
        """The current snapshot; UserError when another bundle made its vectors. None asks for any."""
        snapshot = self._current()
        require_bundle(str(self.path.parent), snapshot.stamp.bundle_id, bundle_id)
        return snapshot

    def _database_stamp(self) -> Stamp:
        return Stamp(*self._read(STAMP)[0])

    def _prefix(self, last_id: int) -> Stamp:
        """What the stamp would be without the rows after this one."""
        return Stamp(*self._read(f"{STAMP} WHERE id <= ?", [last_id])[0])

    def _current(self) -> Snapshot:
        version = self._version()
        if self._snapshot is None or version != self._checked:
            before = self._snapshot
            try:
                self._snapshot = self._compared(before)
            except BaseException:
                if before is not None and before.index.ntotal != len(before.ids):
                    self._snapshot = None  # it has vectors of rows that it does not know: a read failed on the way
                raise
            self._checked = version
        return self._snapshot

    def _compared(self, snapshot: Snapshot | None) -> Snapshot:
        current = self._database_stamp()
        if snapshot is not None and snapshot.stamp == current:
            return snapshot
        known = self._without_deleted(snapshot) or self._without_deleted(index_file.read(self.path))
        if known is None:
            known = self._built(current)
            self._try_save(known)
            return known
        added = current.count - known.stamp.count
        known = self._extended(known, current)
        if added >= SAVE_AFTER and known.alive is None:
            self._try_save(known)
        return known

    def _without_deleted(self, snapshot: Snapshot | None) -> Snapshot | None:
        """The snapshot with the rows of it that the database still has; None if it is of something else."""
        if snapshot is None or not snapshot.stamp.count:
            return None
        prefix = self._prefix(snapshot.stamp.last_id)
        if prefix == snapshot.stamp:
            return snapshot
        if prefix.bundle_id != snapshot.stamp.bundle_id or not 0 < prefix.count < snapshot.stamp.count:
            return None
        ids = np.array([row[0] for row in self._read(IDS, [prefix.last_id])], np.int64)
        alive = np.isin(snapshot.ids, ids)
        return replace(snapshot, stamp=prefix, alive=alive) if np.count_nonzero(alive) == prefix.count else None

    def _rows(self, after: int, last: int) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], Any]:
        """Rows with after < id <= last: ids, is image, case ids, unit vectors float32 [n, D]."""
        rows = self._read(ROWS, [after, last, PAGE])
        vectors = self._decoded([row[3] for row in rows]) if rows else np.zeros((0, 1), np.float32)
        ids, is_image, cases = (np.array([row[i] for row in rows]) for i in range(3))
        return ids.astype(np.int64), is_image.astype(np.bool_), cases.astype(np.int64), vectors

    def _built(self, current: Stamp) -> Snapshot:
        """An index of all rows, built anew."""
        dim = self._rows(0, current.last_id)[3].shape[1]
        try:
            index = new_index(current.count, dim, lambda count: self._sample(count, current.last_id))
        except _Replaced:
            return self._built(self._database_stamp())
        empty = np.zeros(0, np.int64)
        begun = Snapshot(Stamp(0, 0, current.bundle_id), empty, empty.astype(np.bool_), empty, index)
        return self._extended(begun, current, step=STEP)

    def _sample(self, count: int, last: int) -> NDArray[np.float32]:
        """About so many vectors up to this id, float32 [n, D], the same for the same rows. Raises _Replaced."""
        ids = np.array([row[0] for row in self._read(IDS, [last])], np.int64)
        if len(ids) > count:
            ids = np.sort(np.random.default_rng(0).choice(ids, count, replace=False))
        rows = read_many(self._read, "SELECT vector FROM embeddings WHERE id IN ({})", ids.tolist())
        if not rows:
            raise _Replaced
        return self._decoded([row[0] for row in rows])

    def _extended(self, snapshot: Snapshot, current: Stamp, step: int | None = None) -> Snapshot:
        """The snapshot with the rows after it; with `step`, saved after each so many rows, for whoever is next."""
        ids, is_image, cases = [snapshot.ids], [snapshot.is_image], [snapshot.cases]
        stamp, unsaved = snapshot.stamp, 0
        while len((page := self._rows(stamp.last_id, current.last_id))[0]):
            if page[3].shape[1] != snapshot.index.d:
                raise self._damaged()
            snapshot.index.add(page[3])
            ids.append(page[0])
            is_image.append(page[1])
            cases.append(page[2])
            stamp = Stamp(stamp.count + len(page[0]), int(page[0][-1]), current.bundle_id)
            unsaved += len(page[0])
            if step is not None and unsaved >= step:
                self._try_save(_snapshot(stamp, ids, is_image, cases, snapshot.index))
                unsaved = 0
        extended = _snapshot(stamp, ids, is_image, cases, snapshot.index)
        if snapshot.alive is not None:
            extended.alive = np.append(snapshot.alive, np.ones(len(extended.ids) - len(snapshot.ids), np.bool_))
        return extended

    def _try_save(self, snapshot: Snapshot) -> None:
        """Save if possible: the index is in memory, and the next session can build it again."""
        try:
            index_file.write(self.path, snapshot)
        except OSError as error:
            _log.warning("The search index was not saved: %s.", error.strerror)


def _snapshot(
    stamp: Stamp,
    ids: list[NDArray[np.int64]],
    is_image: list[NDArray[np.bool_]],
    cases: list[NDArray[np.int64]],
    index: Any,
) -> Snapshot:
    return Snapshot(stamp, np.concatenate(ids), np.concatenate(is_image), np.concatenate(cases), index)


def bonus_of(bonus: NDArray[np.float32], cases: NDArray[np.int64]) -> NDArray[np.float32]:
    """The bonus of each of these cases, float32 [N]; 0 beyond the end of `bonus`."""
    return np.append(bonus, np.float32(0))[np.minimum(cases, len(bonus))]
