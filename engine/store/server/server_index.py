"""The nearest-neighbor search of an archive on a server, by pgvector. Knows no score scale.

PostgreSQL ranks by the inner product of float16 vectors and what the facts of a case add; the caller gets the vectors
themselves and ranks by those.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.store.case import Kind
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters, condition
from engine.store.nearest_index import IndexState, Neighbors, Rows
from engine.store.server.server_database import ServerDatabase
from engine.store.shared_sql import StoredVector, read_many

BOUND = "SELECT value FROM settings WHERE name = 'bundle_id'"
ZERO = "CAST(0 AS double precision)"
NEAREST = """SELECT embeddings.id, embeddings.case_id, vector, {bonus} AS bonus
    FROM embeddings JOIN cases ON cases.id = embeddings.case_id
    WHERE embeddings.kind = ? AND {where} ORDER BY (vector <#> ?) - {bonus}, embeddings.id LIMIT ?"""


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
        self._require(bundle_id)
        length = max(float(np.linalg.norm(weights)), 1e-12)  # float16 has no room for long vectors
        query = StoredVector.of(weights / length)
        where, values = condition(filters) or ("true", [])
        sql, numbers = _bonus_sql(bonus, length)
        rows = self._read(NEAREST.format(bonus=sql, where=where), [*numbers, kind, *values, query, *numbers, count + 1])
        found = rows[:count]
        if bonus and nearest:
            known = {row[0] for row in found}
            near = self._read(NEAREST.format(bonus=ZERO, where=where), [kind, *values, query, nearest])
            added = [row for row in near if row[0] not in known]
            bonuses = dict(zip((row[0] for row in added), self._bonus_of(added, bonus), strict=True))
            found += [(*row[:3], bonuses[row[0]] / length) for row in added]
        return Neighbors(
            np.array([row[0] for row in found], np.int64),
            np.array([row[1] for row in found], np.int64),
            self._decoded([row[2] for row in found]),
            np.array([row[3] * length for row in found], np.float32),
            len(rows) <= count,
        )

    def _bonus_of(self, rows: Sequence[Any], bonus: FactBonus) -> list[float]:
        sums = dict.fromkeys((row[1] for row in rows), 0.0)
        facts = "SELECT case_id, kind, value, probability FROM facts WHERE case_id IN ({})"
        for case_id, kind, value, probability in read_many(self._read, facts, list(sums)):
            sums[case_id] += bonus.of(kind, value) * probability
        return [sums[row[1]] for row in rows]

    def of_cases(
        self, case_ids: Sequence[int], kind: Kind, bundle_id: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """As NearestIndex."""
        self._require(bundle_id)
        sql = f"SELECT case_id, vector, id FROM embeddings WHERE kind = '{kind}' AND case_id IN ({{}})"
        rows = sorted(read_many(self._read, sql, list(case_ids)), key=lambda row: row[2])
        return np.array([row[0] for row in rows], np.int64), self._decoded([row[1] for row in rows])

    def rows(self, bundle_id: str | None = None) -> Rows:
        """As NearestIndex."""
        self._require(bundle_id)
        rows = self._read("SELECT id, kind = 'image', case_id FROM embeddings ORDER BY id")
        ids, is_image, cases = (np.array([row[i] for row in rows]) for i in range(3))
        return Rows(self._bound(), ids.astype(np.int64), is_image.astype(np.bool_), cases.astype(np.int64))

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """As NearestIndex."""
        found = dict(read_many(self._read, "SELECT id, vector FROM embeddings WHERE id IN ({})", ids.tolist()))
        if any(one not in found for one in ids.tolist()):
            return None
        return self._decoded([found[one] for one in ids.tolist()])

    def refresh(self, save: bool = False, anew: bool = False) -> None:
        """As NearestIndex."""

    def state(self) -> IndexState:
        """As NearestIndex."""
        return "intact"

    def _bound(self) -> str | None:
        rows = self._read(BOUND)
        return str(rows[0][0]) if rows else None

    def _require(self, bundle_id: str | None) -> None:
        made_by = self._bound()
        if bundle_id is not None and made_by is not None and made_by != bundle_id:
            raise UserError(
                f"The archive {self._database.where} was indexed with another model ({made_by[:12]}, not "
                f"{bundle_id[:12]}); open that model and search again.",
                self._database.where,
            )

    def _decoded(self, stored: Sequence[StoredVector]) -> NDArray[np.float32]:
        """Unit vectors, float32 [n, D]."""
        if not stored:
            return np.zeros((0, 0), np.float32)
        wide = np.frombuffer(b"".join(stored), "<f2").reshape(len(stored), -1).astype(np.float32)
        return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12), np.float32)


def _bonus_sql(bonus: FactBonus, length: float) -> tuple[str, list[object]]:
    """The bonus of a case divided by the length of the weights, and its values."""
    if not bonus:
        return ZERO, []
    values: list[object] = []
    kinds = []
    for kind in bonus.weights.keys() | bonus.other.keys():
        cases = []
        for value, weight in bonus.weights.get(kind, {}).items():
            cases.append("WHEN ? THEN CAST(? AS double precision)")
            values += [value, weight / length]
        kinds.append(f"WHEN '{kind}' THEN CASE value {' '.join(cases)} ELSE CAST(? AS double precision) END")
        values.append(bonus.other.get(kind, 0.0) / length)
    weight_of = f"CASE facts.kind {' '.join(kinds)} ELSE 0 END"
    return (
        f"coalesce((SELECT sum(probability * {weight_of}) FROM facts WHERE facts.case_id = embeddings.case_id), 0)",
        values,
    )
