"""The nearest vectors of a folder archive by comparison with all, as the measure of what others find."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.archive import Archive
from engine.store.case import Kind
from engine.store.fact_bonus import FactBonus
from engine.store.filters import Filters
from engine.store.folder.fact_columns import FactColumns
from engine.store.folder.folder_store import DATABASE
from engine.store.folder.local_database import LocalDatabase
from engine.store.score_scale import KINDS

PAGE = 20_000


class Exact:
    """All vectors of an archive in memory, float32."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        rows = archive.index.rows()
        self._archive = archive
        self.columns = FactColumns(LocalDatabase(folder / DATABASE))
        self.ids: dict[Kind, NDArray[np.int64]] = {}
        self.cases: dict[Kind, NDArray[np.int64]] = {}
        self.vectors: dict[Kind, NDArray[np.float32]] = {}
        for kind in KINDS:
            mask = rows.is_image == (kind == "image")
            self.ids[kind], self.cases[kind] = rows.ids[mask], rows.cases[mask]
            pages = [
                archive.index.vectors(self.ids[kind][start : start + PAGE])
                for start in range(0, len(self.ids[kind]), PAGE)
            ]
            self.vectors[kind] = np.concatenate([page for page in pages if page is not None])

    def best(
        self, weights: NDArray[np.float32], kind: Kind, count: int, filters: Filters, bonus: FactBonus
    ) -> NDArray[np.int64]:
        """Ids of the best, best first."""
        scores = self.vectors[kind] @ weights
        if bonus:
            by_case = np.append(self.columns.bonus(bonus), np.float32(0))  # cases beyond the end have no facts
            scores += by_case[np.minimum(self.cases[kind], len(by_case) - 1)]
        allowed = self._archive.cases_allowed_by(filters)
        if allowed is not None:
            scores[~np.isin(self.cases[kind], allowed)] = -np.inf
        best = np.argpartition(-scores, count)[:count]
        best = best[np.isfinite(scores[best])]
        return np.asarray(self.ids[kind][best[np.argsort(-scores[best])]], np.int64)
