"""The nearest-neighbor search of an archive on a server, by pgvector. Knows no score scale.

PostgreSQL ranks by the inner product of float16 vectors and what the facts of a case add; the caller gets the vectors
themselves and ranks by those. Which vectors PostgreSQL looks at is in vector_lists.py and nearest_scan.py.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.store.case import Kind
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters, condition
from engine.store.nearest_index import IndexState, Neighbors, Rows, require_bundle, unit_rows
from engine.store.server import vector_lists
from engine.store.server.bonus_levels import scaled
from engine.store.server.nearest_scan import EVERY, FEW, Found, Question, expected, scan_all, scan_lists
from engine.store.server.server_database import ServerConnection, ServerDatabase
from engine.store.shared_sql import StoredVector, read_many

BOUND = "SELECT value FROM settings WHERE name = 'bundle_id'"
VECTORS = "SELECT id, vector FROM embeddings WHERE id = ANY(?)"


class ServerIndex:
    """The vectors of one archive; threads may share it."""

    def __init__(self, database: ServerDatabase) -> None:
        self._database, self._read = database, database.read

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
        length = max(float(np.linalg.norm(weights)), 1e-12)  # float16 has no room for long vectors
        query, where = StoredVector.of(weights / length), condition(filters) or EVERY
        asked = Question(kind, query, where, scaled(bonus, 1 / length), count, nearest)
        narrowed = condition(replace(filters, excluded=())) is not None
        while True:
            with self._database.reading() as db, db.connection.transaction():
                found = self._found(db, asked, bundle_id, narrowed)
                rows = asked.ranked([*found.rows.values()])
                vectors = dict(db.execute(VECTORS, [[row[0] for row in rows]]).fetchall())
            if len(vectors) == len(rows):  # else a report was replaced or the archive re-indexed meanwhile
                return Neighbors(
                    np.array([row[0] for row in rows], np.int64),
                    np.array([row[1] for row in rows], np.int64),
                    _decoded([vectors[row[0]] for row in rows]),
                    np.array([row[3] * length for row in rows], np.float32),
                    found.all and len(rows) == len(found.rows),
                )

    def _found(self, db: ServerConnection, asked: Question, bundle_id: str | None, narrowed: bool) -> Found:
        index = vector_lists.ready(db, asked.kind)
        require_bundle(self._database.where, index.bundle_id, bundle_id)
        if index.bundle_id is None or index.lists is None:
            return scan_all(db, asked, asked.where)
        if narrowed and expected(db, asked.where) < FEW * index.lists:
            return scan_all(db, asked, asked.where)
        return scan_lists(db, asked, index.bundle_id, index.lists)

    def of_cases(
        self, case_ids: Sequence[int], kind: Kind, bundle_id: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """As NearestIndex."""
        require_bundle(self._database.where, self._bound(), bundle_id)
        sql = f"SELECT case_id, vector, id FROM embeddings WHERE kind = '{kind}' AND case_id IN ({{}})"
        rows = sorted(read_many(self._read, sql, list(case_ids)), key=lambda row: row[2])
        return np.array([row[0] for row in rows], np.int64), _decoded([row[1] for row in rows])

    def rows(self, bundle_id: str | None = None) -> Rows:
        """As NearestIndex."""
        require_bundle(self._database.where, bound := self._bound(), bundle_id)
        rows = self._read("SELECT id, kind = 'image', case_id FROM embeddings ORDER BY id")
        ids, is_image, cases = (np.array([row[i] for row in rows]) for i in range(3))
        return Rows(bound, ids.astype(np.int64), is_image.astype(np.bool_), cases.astype(np.int64))

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """As NearestIndex."""
        found = dict(self._read(VECTORS, [ids.tolist()]))
        if any(one not in found for one in ids.tolist()):
            return None
        return _decoded([found[one] for one in ids.tolist()])

    def refresh(self, save: bool = False, anew: bool = False) -> None:
        """As NearestIndex; the server keeps its indexes with the vectors, so that only growth makes new ones."""
        vector_lists.refresh(self._database.address, anew)

    def state(self) -> IndexState:
        """As NearestIndex."""
        with self._database.reading() as db:
            return vector_lists.state(db)

    def _bound(self) -> str | None:
        rows = self._read(BOUND)
        return str(rows[0][0]) if rows else None


def _decoded(stored: Sequence[StoredVector]) -> NDArray[np.float32]:
    """Unit vectors, float32 [n, D]."""
    if not stored:
        return np.zeros((0, 0), np.float32)
    return unit_rows(np.frombuffer(b"".join(stored), "<f2").reshape(len(stored), -1))
