"""What an archive asks of its index of vectors, and what it gets. Knows no store and no score scale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError
from engine.store.case import Kind
from engine.store.fact_bonus import NO_BONUS, FactBonus
from engine.store.filters import ANY, Filters

IndexState = Literal["intact", "behind", "missing", "stale", "damaged"]
"""Of what is derived from the vectors; behind lacks later ones, stale is of others."""


@dataclass(frozen=True, slots=True)
class Neighbors:
    """Candidates of a nearest-neighbor search."""

    ids: NDArray[np.int64]
    """Embedding ids, int64 [n]."""
    cases: NDArray[np.int64]
    """Case ids, int64 [n]."""
    vectors: NDArray[np.float32]
    """Unit vectors, float32 [n, D]."""
    bonus: NDArray[np.float32]
    """What the facts of the case add, float32 [n]."""
    all: bool
    """Every vector that was allowed is among them."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which rows of the table `embeddings` something was made of."""

    count: int
    last_id: int
    """The highest embedding id."""
    bundle_id: str | None
    """The bundle that made the embeddings."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of the table `embeddings` in the order of their ids, without the vectors."""

    bundle_id: str | None
    """The bundle that made the vectors."""
    ids: NDArray[np.int64]
    """Embedding ids, int64 [N]."""
    is_image: NDArray[np.bool_]
    """Whether the vector is of an image, else of a report, bool [N]."""
    cases: NDArray[np.int64]
    """Case ids, int64 [N]."""

    def first(self, count: int) -> "Rows":
        """The first rows."""
        return Rows(self.bundle_id, self.ids[:count], self.is_image[:count], self.cases[:count])

    @property
    def stamp(self) -> Stamp:
        """Changes when any of these rows is replaced, since ids are never used twice."""
        return Stamp(len(self.ids), int(self.ids[-1]) if len(self.ids) else 0, self.bundle_id)


class NearestIndex(Protocol):
    """The index of one archive; threads may share it.

    Wherever a bundle is named, UserError is raised when another one made the vectors, also when the archive was
    re-indexed a moment ago. None asks for any.
    """

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
        """The vectors of one kind with the largest inner product with `weights` plus the bonus of their case.

        Args:
            weights: float32 [D], any length.
            kind: images or reports.
            count: how many at most.
            filters: which cases may be found; its `kinds` are ignored.
            bundle_id: the bundle that made `weights`; None when no model made them.
            bonus: what the facts of a case add.
            nearest: with a bonus, so many vectors by inner product alone are found too, after the best.
        """

    def of_cases(
        self, case_ids: Sequence[int], kind: Kind, bundle_id: str | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """All vectors of one kind that these cases have: case ids int64 [n], unit vectors float32 [n, D]."""

    def rows(self, bundle_id: str | None = None) -> Rows:
        """The rows that the index contains now."""

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32] | None:
        """The unit vectors of these embedding ids, in their order, float32 [n, D]; None if one no longer exists.

        Raises:
            UserError: one exists and cannot be read.
        """

    def refresh(self, save: bool = False, anew: bool = False) -> None:
        """Bring what is derived up to date; `save` keeps it even after few changes, `anew` makes it anew.

        Raises:
            UserError: with `save`, it cannot be kept. A search does not need it.
        """

    def state(self) -> IndexState:
        """State of what is kept."""


def require_bundle(where: str, made_by: str | None, bundle_id: str | None) -> None:
    """Raise UserError when another bundle than the one that is asked for made the vectors; None asks for any."""
    if bundle_id is not None and made_by is not None and made_by != bundle_id:
        raise UserError(
            f"The archive {where} was indexed with another model ({made_by[:12]}, not {bundle_id[:12]}); open that "
            "model and search again.",
            where,
        )


def unit_rows(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Vectors float [n, D] with the length that rounding to float16 has changed, as unit vectors float32 [n, D]."""
    wide = vectors.astype(np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12), np.float32)
