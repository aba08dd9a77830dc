"""Slabs: several neighboring planes as one, by their maximum, minimum or mean. Knows no volume and no patient."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAMES = {"max": "MIP", "min": "MinIP", "mean": "Mean"}
"""As it is called on screen, by kind."""
_EMPTY = {"max": -np.inf, "min": np.inf, "mean": 0.0}
"""What padding counts as, by kind, so that it changes nothing."""


@dataclass(frozen=True, slots=True)
class Slab:
    """What several planes become, and how many."""

    kind: str = ""
    """"max", "min" or "mean"; "" for single planes."""
    thickness: float = 0.0
    """Millimeters."""

    @property
    def key(self) -> str:
        """Tells slabs apart, as a part of an identifier; "" for single planes."""
        return f"/{self.kind}{self.thickness:g}" if self.kind else ""


THIN = Slab()


def slab_of(slab: Slab, index: int, count: int, step: float) -> range:
    """The planes of the slab around one of `count` planes that are `step` millimeters apart.

    As many as come closest to the thickness, at least one; an even number has one more plane behind than before. At the
    ends of the volume the slab is clipped, so its thickness there is `len(range) * step` as everywhere.
    """
    planes = max(1, round(slab.thickness / step)) if slab.kind else 1
    start = index - (planes - 1) // 2
    return range(max(0, start), min(count, start + planes))


def project(
    planes: NDArray[Any], masks: NDArray[np.bool_] | None, kind: str
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """One plane of several.

    Args:
        planes: values [plane, row, column], at least one plane.
        masks: bool of the same shape, true for padding, which does not count; None for none.
        kind: of `Slab`.

    Returns:
        float32 [row, column], 0 where all is padding, and that padding; None without `masks`.
    """
    if len(planes) == 1:
        return planes[0].astype(np.float32), None if masks is None else masks[0].copy()
    if masks is None:
        return _reduced(planes, kind), None
    counted = np.where(masks, np.float32(_EMPTY[kind]), planes).astype(np.float32)
    padding = np.asarray(masks.all(axis=0))
    found = _reduced(counted, kind)
    if kind == "mean":
        found *= len(planes) / np.maximum(1, len(planes) - masks.sum(axis=0, dtype=np.float32))
    found[padding] = 0
    return found, padding


def _reduced(planes: NDArray[Any], kind: str) -> NDArray[np.float32]:
    """float32 [row, column] of [plane, row, column]."""
    reduce = {"max": np.maximum, "min": np.minimum, "mean": np.add}[kind].reduce
    dtype = np.float32 if kind == "mean" else planes.dtype
    if planes.strides[0] < planes.strides[2]:  # neighbors lie side by side in memory: row by row fits into the cache
        rows = (np.ascontiguousarray(planes[:, row]) for row in range(planes.shape[1]))
        found = np.stack([reduce(row, axis=0, dtype=dtype) for row in rows])
    else:
        found = reduce(planes, axis=0, dtype=dtype)
    return (found / np.float32(len(planes)) if kind == "mean" else found).astype(np.float32)
