"""MPR: axial, coronal and sagittal planes along the axes of a volume, as series of frames. Does not interpolate.

Planes follow the axes of the stack, so every value shown was acquired, alone or in a slab of several. An oblique stack
gives oblique planes, named after the closest anatomical plane; their orientation letters show it. Each plane is a
FrameRef with its geometry, so letters, distances and reference lines need not know that it is reformatted.

Planes along the slices of the stack count as the stack does, so that image 33 of an axial stack is plane 33 beside it;
others count from head to feet, from anterior to posterior, or from left to right.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels
from engine.image.slab import NAMES as SLAB_NAMES
from engine.image.slab import THIN, Slab, project, slab_of
from engine.image.volume import Volume
from engine.study import FrameRef, ImageRef, Orientation, Series

NAMES = ("Axial", "Coronal", "Sagittal")
_THROUGH = np.array(((0, 0, -1), (0, 1, 0), (-1, 0, 0)), float)
"""Direction from plane to plane (LPS): head to feet, anterior to posterior, left to right."""
_ACROSS = np.array(((1, 0, 0), (1, 0, 0), (0, 1, 0)), float)
"""Direction from column to column (LPS): to the left, to the left, to posterior, the radiological convention."""
_DOWN = np.array(((0, 1, 0), (0, 0, -1), (0, 0, -1)), float)
"""Direction from row to row (LPS): to posterior, to the feet, to the feet."""


@dataclass(frozen=True, slots=True)
class _PlaneAxes:
    """How the axes of a volume map to the frame, row and column axes of a stack of planes."""

    order: tuple[int, int, int]
    """Axis of the volume for frames, rows and columns."""
    reverse: tuple[bool, bool, bool]
    """Whether it is traversed backwards."""


def plane_axes(volume: Volume) -> tuple[_PlaneAxes, _PlaneAxes, _PlaneAxes]:
    """The axes of the axial, coronal and sagittal planes: those of the volume that fit best."""
    axes = np.array(volume.axes)
    size = np.abs(axes @ _THROUGH.T)  # [axis, plane]
    best = max(permutations(range(3)), key=lambda order: sum(size[order[plane], plane] for plane in range(3)))
    found = []
    for plane, through in enumerate(best):
        one, other = (axis for axis in range(3) if axis != through)

        def fit(down: int, across: int, plane: int = plane) -> float:
            return abs(float(axes[down] @ _DOWN[plane])) + abs(float(axes[across] @ _ACROSS[plane]))

        down, across = (one, other) if fit(one, other) >= fit(other, one) else (other, one)
        order = (through, down, across)
        wanted = (_THROUGH[plane], _DOWN[plane], _ACROSS[plane])
        backwards = tuple(bool(axes[axis] @ want < 0) for axis, want in zip(order, wanted))
        found.append(_PlaneAxes(order, (backwards[0], backwards[1], backwards[2])))
    return found[0], found[1], found[2]


class Cut(Protocol):
    """How the planes of one stack are cut from a volume."""

    def plane(self, volume: Volume, index: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Modality values of a plane, float32 [row, column], and its padding; None without any."""


@dataclass(frozen=True, slots=True)
class AxisCut:
    """Planes along two axes of the volume, each the middle of a slab."""

    axes: _PlaneAxes
    slab: Slab = THIN

    def plane(self, volume: Volume, index: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """As `Cut.plane`."""
        ordered = _along(volume.values, self.axes)
        part = slab_of(self.slab, index, len(ordered), volume.steps[self.axes.order[0]])
        where = slice(part.start, part.stop)
        masks = None if volume.masked is None else _along(volume.masked, self.axes)[where]
        return project(ordered[where], masks, self.slab.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The stacks of planes of a volume."""

    volume: Volume
    series: tuple[Series, ...]
    """Axial, coronal, sagittal; then the oblique stack, if there is one."""
    cuts: dict[str, Cut]
    """By the SOP Instance UID that the planes were given. Those of stacks that others replaced can still be read."""

    def contains(self, frame: FrameRef) -> bool:
        """Whether a frame is a plane of this volume."""
        return frame.image.sop_uid in self.cuts

    def read(self, frame: FrameRef) -> Pixels:
        """The values of one plane, with the unit, windows and polarity of its stack.

        Raises:
            KeyError: the frame is not a plane of this volume.
        """
        values, mask = self.cuts[frame.image.sop_uid].plane(self.volume, frame.frame)
        return self.volume.template.with_values(values, mask)

    def with_slab(self, slab: Slab) -> "Planes":
        """The planes along the axes as slabs of another kind or thickness, without an oblique stack."""
        return self._with(stacks_of(self.volume, slab), ())

    def with_oblique(self, stack: tuple[Series, Cut] | None) -> "Planes":
        """With another oblique stack, or without one."""
        kept = [(series, self.cuts[series.frames[0].image.sop_uid]) for series in self.series[:3]]
        return self._with(kept, () if stack is None else (stack,))

    def _with(self, along: Sequence[tuple[Series, Cut]], oblique: Sequence[tuple[Series, Cut]]) -> "Planes":
        stacks = (*along, *oblique)
        added = {series.frames[0].image.sop_uid: cut for series, cut in stacks}
        return replace(self, series=tuple(series for series, _ in stacks), cuts=self.cuts | added)


def planes_of(volume: Volume) -> Planes:
    """The axial, coronal and sagittal planes of a volume, each as a stack."""
    return Planes(volume, (), {}).with_slab(THIN)


def stacks_of(volume: Volume, slab: Slab) -> list[tuple[Series, Cut]]:
    """Axial, coronal and sagittal slabs of a volume; each has the position of its middle plane."""
    return [_stack(volume, AxisCut(axes, slab), name) for axes, name in zip(plane_axes(volume), NAMES)]


def _stack(volume: Volume, cut: AxisCut, name: str) -> tuple[Series, Cut]:
    count, rows, columns = (volume.values.shape[axis] for axis in cut.axes.order)
    through, row_step, column_step = (volume.steps[axis] for axis in cut.axes.order)
    corner, direction, orientation = _geometry(volume, cut.axes)
    positions = corner + direction * through * np.arange(count)[:, None]
    grid = PlaneGrid(positions, orientation, (row_step, column_step), (rows, columns), through)
    series = stack_of_planes(volume, grid, name, name.lower(), cut.slab)
    if cut.axes.order[0] == 0 and cut.axes.reverse[0]:
        series = replace(series, frames=series.frames[::-1])  # measurements find their plane by `FrameRef.frame`
    return series, cut


@dataclass(frozen=True, slots=True, eq=False)
class PlaneGrid:
    """Where the planes of a stack lie."""

    positions: NDArray[np.float64]
    """Center of the first pixel of each plane in patient coordinates (mm), [plane, 3]."""
    orientation: Orientation
    spacing: tuple[float, float]
    """Millimeters from row to row and from column to column."""
    shape: tuple[int, int]
    """Rows and columns."""
    step: float
    """Millimeters from plane to plane."""


def stack_of_planes(volume: Volume, grid: PlaneGrid, name: str, key: str, slab: Slab) -> Series:
    """The planes of a grid as a series of frames.

    Args:
        volume: what they are cut from.
        grid: where they lie.
        name: as the user sees it.
        key: tells them apart from other planes of this volume; measurements are kept by it.
        slab: the thickness of each frame is that of its slab within the grid.
    """
    source = volume.series
    first = source.frames[0]
    uid = f"{_identity(source)}/{key}{slab.key}"
    image = ImageRef(
        origin=first.image.origin,
        sop_uid=f"mpr/{uid}",
        frames=len(grid.positions),
        rows=grid.shape[0],
        columns=grid.shape[1],
        lossy=any(frame.image.lossy for frame in source.frames),
        transfer_syntax=first.image.transfer_syntax,
        burned_in=first.image.burned_in,
        laterality=first.image.laterality,
    )
    frames = []
    for index, (x, y, z) in enumerate(grid.positions.tolist()):
        planes = slab_of(slab, index, len(grid.positions), grid.step)
        frames.append(
            FrameRef(
                image=image,
                frame=index,
                position=(x, y, z),
                orientation=grid.orientation,
                spacing=grid.spacing,
                spacing_source="pixel",
                thickness=len(planes) * grid.step if slab.kind else None,
                frame_of_reference=first.frame_of_reference,
            )
        )
    part = " · ".join(one for one in (name, SLAB_NAMES.get(slab.kind, "")) if one)
    return replace(source, key=f"mpr/{uid}", frames=tuple(frames), part=part)


def _geometry(volume: Volume, axes: _PlaneAxes) -> tuple[NDArray[Any], NDArray[Any], Orientation]:
    """Center of the first pixel of the first plane (mm), direction to the next plane, and orientation of the planes."""
    through, down, across = (
        np.array(volume.axes[axis]) * (-1 if reverse else 1) for axis, reverse in zip(axes.order, axes.reverse)
    )
    corner = np.array(volume.origin)
    for axis, reverse in zip(axes.order, axes.reverse):
        if reverse:
            corner = corner + np.array(volume.axes[axis]) * volume.steps[axis] * (volume.values.shape[axis] - 1)
    a, b, c = (float(part) for part in across)
    d, e, f = (float(part) for part in down)
    return corner, through, (a, b, c, d, e, f)


def _identity(source: Series) -> str:
    """A stable identifier of a stack, to keep measurements by: of its frames, whatever else is open.

    `Series.key` numbers the stacks of a series ("#2") depending on what was opened.
    """
    frames = "\n".join(f"{frame.image.sop_uid or frame.image.name} {frame.frame}" for frame in source.frames)
    return f"{source.uid}/{hashlib.sha256(frames.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def is_plane(frame: FrameRef) -> bool:
    """Whether a frame was made by `planes_of` and is in no file."""
    return frame.image.sop_uid.startswith("mpr/")


def _along(values: NDArray[Any], axes: _PlaneAxes) -> NDArray[Any]:
    """The volume as planes [plane, row, column], as a view."""
    ordered = values.transpose(axes.order)
    return ordered[tuple(slice(None, None, -1 if backwards else 1) for backwards in axes.reverse)]
