"""Oblique MPR: planes at any angle through a volume, sampled trilinearly in patient coordinates.

The planes are parallel, as far apart as the voxels are at the closest, and square pixels have the same size, so that
lengths, angles and areas on them are millimeters in the patient as on any slice. Outside the volume is padding; nothing
is extrapolated.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.geometry.planes import normal
from engine.image.mpr import PlaneGrid, is_plane, stack_of_planes
from engine.image.slab import Slab, project, slab_of
from engine.image.volume import Volume
from engine.study import FrameRef, Orientation, Series, Vector

NAME = "Oblique"
MAX_SIDE = 1200
"""Pixels of a plane along a side; beyond, they become larger."""
_TOGETHER = 1 << 14
"""Positions sampled together: what is computed for them stays in the cache of the processor."""
_INSIDE = 1e-4
"""Voxels by which a position may miss the first or last voxel, since cosines are rounded."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """How an oblique plane lies."""

    orientation: Orientation
    """Direction cosines of its rows, then of its columns: perpendicular unit vectors."""
    center: Vector
    """The position (mm) about which it is turned; in the middle of the image."""


def is_oblique(frame: FrameRef) -> bool:
    """Whether a frame was made by `oblique_stack`."""
    return is_plane(frame) and "/oblique/" in frame.image.sop_uid


def turned(tilt: Tilt, axis: Vector, degrees: float) -> Tilt:
    """The plane after a right-handed rotation about an axis through its center (Rodrigues' formula).

    Args:
        tilt: as it lies now.
        axis: direction in patient coordinates, of any length above 0.
        degrees: how far.
    """
    unit = np.array(axis) / np.linalg.norm(axis)
    angle = np.radians(degrees)

    def rotated(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        sideways = np.cross(unit, vector)
        along = unit * (unit @ vector)
        return np.asarray(vector * np.cos(angle) + sideways * np.sin(angle) + along * (1 - np.cos(angle)))

    right = rotated(np.array(tilt.orientation[:3]))
    down = rotated(np.array(tilt.orientation[3:]))
    right /= np.linalg.norm(right)
    down -= right * (right @ down)  # rounding must not add up over many turns
    down /= np.linalg.norm(down)
    a, b, c = right.tolist()
    d, e, f = down.tolist()
    return Tilt((a, b, c, d, e, f), tilt.center)


def oblique_stack(volume: Volume, tilt: Tilt, slab: Slab) -> tuple[Series, "ObliqueCut", int]:
    """A stack of parallel oblique planes that covers the volume, how it is cut, and the index of the plane asked for.

    Its size does not depend on the orientation, so that the image stands still while the plane is turned.
    """
    center = np.array(tilt.center)
    right, down = np.array(tilt.orientation[:3]), np.array(tilt.orientation[3:])
    through = np.array(normal(tilt.orientation))
    corners = _corners(volume) - center
    reach = float(np.linalg.norm(corners, axis=1).max())
    spacing = max(min(volume.steps), 2 * reach / MAX_SIDE)
    half = int(np.ceil(reach / spacing))
    step = min(volume.steps)
    depths = corners @ through
    before, after = (max(0, int(np.floor(depth / step + _INSIDE))) for depth in (-depths.min(), depths.max()))
    corner = center - half * spacing * (right + down)
    positions = corner + through * step * np.arange(-before, after + 1)[:, None]
    side = 2 * half + 1
    grid = PlaneGrid(positions, tilt.orientation, (spacing, spacing), (side, side), step)
    exact = " ".join(f"{value:.5f}" for value in (*tilt.orientation, *tilt.center))
    key = f"oblique/{hashlib.sha256(exact.encode()).hexdigest()[:16]}"
    return stack_of_planes(volume, grid, NAME, key, slab), ObliqueCut(grid, slab), before


def _corners(volume: Volume) -> NDArray[np.float64]:
    """Positions of the eight voxels at the corners (mm), [8, 3]."""
    ends = np.array(np.meshgrid(*((0, size - 1) for size in volume.values.shape))).reshape(3, -1).T
    found: NDArray[np.float64] = np.array(volume.origin) + (ends * volume.steps) @ np.array(volume.axes)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class ObliqueCut:
    """Planes of a grid, each the middle of a slab."""

    grid: PlaneGrid
    slab: Slab

    def plane(self, volume: Volume, index: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """As `Cut.plane`."""
        grid = self.grid
        around = slab_of(self.slab, index, len(grid.positions), grid.step)
        sampled = [_sampled(volume, grid, grid.positions[one]) for one in around]
        values, masks = (np.stack(arrays) for arrays in zip(*sampled))
        return project(values, masks, self.slab.kind)


def _sampled(
    volume: Volume, grid: PlaneGrid, position: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values of one plane, float32 [row, column], and where there are none, bool of the same shape."""
    to_voxels = np.array(volume.axes) / np.array(volume.steps)[:, None]
    start = to_voxels @ (position - np.array(volume.origin))
    across = to_voxels @ np.array(grid.orientation[:3]) * grid.spacing[1]
    along = to_voxels @ np.array(grid.orientation[3:]) * grid.spacing[0]
    rows, columns = np.arange(grid.shape[0])[:, None], np.arange(grid.shape[1])
    inside = np.ones(grid.shape, np.bool_)
    for axis, size in enumerate(volume.values.shape):
        coordinate = start[axis] + across[axis] * columns + along[axis] * rows
        inside &= (coordinate >= -_INSIDE) & (coordinate <= size - 1 + _INSIDE)
    pixels = np.flatnonzero(inside)
    values, mask = np.zeros(grid.shape, np.float32), ~inside
    for part in np.array_split(pixels, len(pixels) // _TOGETHER + 1):
        row, column = np.divmod(part, grid.shape[1])
        where = [start[axis] + across[axis] * column + along[axis] * row for axis in range(3)]
        found, padding = trilinear(volume, where)
        if padding is not None:
            found[padding] = 0
            mask.reshape(-1)[part] = padding
        values.reshape(-1)[part] = found
    return values, mask


def trilinear(volume: Volume, where: list[NDArray[np.float64]]) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    """Values between voxels.

    Args:
        volume: at least two voxels along each axis.
        where: slice, row and column of each of N positions, within the volume.

    Returns:
        float32 [N]; and bool [N], true where a voxel that counts is padding, None if the volume has no padding.
    """
    flat = volume.values.reshape(-1)
    strides = [volume.values.shape[1] * volume.values.shape[2], volume.values.shape[2], 1]
    first = np.zeros(len(where[0]), np.int64)
    shares: list[NDArray[np.float32]] = []
    for axis, size in enumerate(volume.values.shape):
        lower = np.clip(np.floor(where[axis]).astype(np.int64), 0, size - 2)
        shares.append(np.clip(where[axis] - lower, 0, 1).astype(np.float32))
        first += lower * strides[axis]

    def between(offset: int, axis: int) -> NDArray[np.float32]:
        if axis == 3:
            return np.take(flat, first + offset).astype(np.float32)
        low, high = between(offset, axis + 1), between(offset + strides[axis], axis + 1)
        high -= low
        high *= shares[axis]
        high += low
        return high

    return between(0, 0), None if volume.masked is None else _any_padding(volume.masked, first, strides, shares)


def _any_padding(
    masked: NDArray[np.bool_], first: NDArray[np.int64], strides: list[int], shares: list[NDArray[np.float32]]
) -> NDArray[np.bool_]:
    """Whether any of the voxels around each position that has a part in its value is padding."""
    flat = masked.reshape(-1)
    found = np.zeros(len(first), np.bool_)
    for corner in range(8):
        bits = [corner >> 2 & 1, corner >> 1 & 1, corner & 1]
        part = np.take(flat, first + sum(bit * stride for bit, stride in zip(bits, strides)))
        for bit, share in zip(bits, shares):
            part &= share > 0 if bit else share < 1
        found |= part
    return found
