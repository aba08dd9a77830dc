"""MPR: axial, coronal and sagittal planes along the axes of a volume, as series of frames. Does not interpolate.

Planes follow the axes of the stack, so every value shown was acquired. An oblique stack gives oblique planes, named
after the closest anatomical plane; their orientation letters show it. Each plane is a FrameRef with its geometry, so
letters, distances and reference lines need not know that it is reformatted.
"""

import hashlib
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels
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


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The three stacks of planes of a volume."""

    volume: Volume
    series: tuple[Series, Series, Series]
    """Axial, coronal, sagittal."""
    _axes: dict[str, _PlaneAxes]
    """By the SOP Instance UID that the planes were given."""

    def contains(self, frame: FrameRef) -> bool:
        """Whether a frame is a plane of this volume."""
        return frame.image.sop_uid in self._axes

    def read(self, frame: FrameRef) -> Pixels:
        """The values of one plane, with the unit, windows and polarity of its stack.

        Raises:
            KeyError: the frame is not a plane of this volume.
        """
        axes, masked = self._axes[frame.image.sop_uid], self.volume.masked
        values = _plane(self.volume.values, axes, frame.frame).astype(np.float32)
        mask = None if masked is None else _plane(masked, axes, frame.frame).copy()
        return self.volume.template.with_values(values, mask)


def planes_of(volume: Volume) -> Planes:
    """The axial, coronal and sagittal planes of a volume, each as a stack."""
    found = plane_axes(volume)
    axial, coronal, sagittal = (_series(volume, axes, name) for axes, name in zip(found, NAMES))
    stacks = (axial, coronal, sagittal)
    return Planes(volume, stacks, {series.frames[0].image.sop_uid: axes for series, axes in zip(stacks, found)})


def _series(volume: Volume, axes: _PlaneAxes, name: str) -> Series:
    source = volume.series
    first = source.frames[0]
    count, rows, columns = (volume.values.shape[axis] for axis in axes.order)
    through, row_step, column_step = (volume.steps[axis] for axis in axes.order)
    corner, direction, orientation = _geometry(volume, axes)
    uid = f"{_identity(source)}/{name.lower()}"
    image = ImageRef(
        origin=first.image.origin,
        sop_uid=f"mpr/{uid}",
        frames=count,
        rows=rows,
        columns=columns,
        lossy=any(frame.image.lossy for frame in source.frames),
        transfer_syntax=first.image.transfer_syntax,
        burned_in=first.image.burned_in,
        laterality=first.image.laterality,
    )
    frames = []
    for index in range(count):
        x, y, z = (float(part) for part in corner + direction * through * index)
        frames.append(
            FrameRef(
                image=image,
                frame=index,
                position=(x, y, z),
                orientation=orientation,
                spacing=(row_step, column_step),
                spacing_source="pixel",
                frame_of_reference=first.frame_of_reference,
            )
        )
    return replace(source, key=f"mpr/{uid}", frames=tuple(frames), part=name)


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


def _plane(values: NDArray[Any], axes: _PlaneAxes, index: int) -> NDArray[Any]:
    """One plane of the volume [row, column], as a view."""
    ordered = values.transpose(axes.order)
    plane: NDArray[Any] = ordered[tuple(slice(None, None, -1 if backwards else 1) for backwards in axes.reverse)][index]
    return plane
