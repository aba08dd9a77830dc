"""Axial, coronal and sagittal planes along the axes of a volume, as series of frames. Interpolates nothing.

Planes follow the stack's own axes, so every value shown is one that was measured; an oblique stack gives oblique
planes, named by the anatomical plane they are closest to, and their letters say so. Each plane is a FrameRef with its
true place, so that letters, millimetres and cross-reference lines need to know nothing of where it came from.
"""

import hashlib
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels
from engine.image.volume import Volume
from engine.study import FrameRef, ImageRef, Orientation, Series, Vector

NAMES = ("Axial", "Coronal", "Sagittal")
_THROUGH = np.array(((0, 0, -1), (0, 1, 0), (-1, 0, 0)), float)
"""From plane to plane: head to feet, front to back, left to right."""
_ACROSS = np.array(((1, 0, 0), (1, 0, 0), (0, 1, 0)), float)
"""From column to column: to the left, to the left, to the back, as radiologists look at them."""
_DOWN = np.array(((0, 1, 0), (0, 0, -1), (0, 0, -1)), float)


@dataclass(frozen=True, slots=True)
class _Cut:
    """Which axis of the volume goes where, and whether it is walked backwards: (through, down, across)."""

    axes: tuple[int, int, int]
    reverse: tuple[bool, bool, bool]


def cuts(volume: Volume) -> tuple[_Cut, _Cut, _Cut]:
    """How the axial, coronal and sagittal planes lie in the volume."""
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
        found.append(_Cut(order, (backwards[0], backwards[1], backwards[2])))
    return found[0], found[1], found[2]


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The three stacks of planes of a volume."""

    volume: Volume
    series: tuple[Series, Series, Series]
    """Axial, coronal, sagittal."""
    _cuts: dict[str, _Cut]

    def holds(self, frame: FrameRef) -> bool:
        return frame.image.sop_uid in self._cuts

    def read(self, frame: FrameRef) -> Pixels:
        """One plane, with the look of the stack that it was cut from.

        Raises:
            KeyError: the frame is no plane of this volume.
        """
        cut, masked = self._cuts[frame.image.sop_uid], self.volume.masked
        values = _plane(self.volume.values, cut, frame.frame).astype(np.float32)
        return self.volume.look.with_values(values, None if masked is None else _plane(masked, cut, frame.frame).copy())


def planes_of(volume: Volume) -> Planes:
    """The axial, coronal and sagittal planes of a volume as stacks."""
    found = cuts(volume)
    axial, coronal, sagittal = (_series(volume, cut, name) for cut, name in zip(found, NAMES))
    made = (axial, coronal, sagittal)
    return Planes(volume, made, {series.frames[0].image.sop_uid: cut for series, cut in zip(made, found)})


def _series(volume: Volume, cut: _Cut, name: str) -> Series:
    source = volume.series
    first = source.frames[0]
    count, rows, columns = (volume.values.shape[axis] for axis in cut.axes)
    through, down, across = (
        np.array(volume.axes[axis]) * (-1 if backwards else 1) for axis, backwards in zip(cut.axes, cut.reverse)
    )
    step = volume.steps[cut.axes[0]]
    corner = np.array(volume.origin)
    for axis, backwards in zip(cut.axes, cut.reverse):
        if backwards:
            corner = corner + np.array(volume.axes[axis]) * volume.steps[axis] * (volume.values.shape[axis] - 1)
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
    a, b, c = (float(part) for part in across)
    d, e, f = (float(part) for part in down)
    orientation: Orientation = (a, b, c, d, e, f)

    def place(index: int) -> Vector:
        x, y, z = (float(part) for part in corner + through * step * index)
        return x, y, z

    frames = tuple(
        FrameRef(
            image=image,
            frame=index,
            position=place(index),
            orientation=orientation,
            spacing=(volume.steps[cut.axes[1]], volume.steps[cut.axes[2]]),
            spacing_source="pixel",
            frame_of_reference=first.frame_of_reference,
        )
        for index in range(count)
    )
    return replace(source, key=f"mpr/{uid}", frames=frames, part=name)


def _identity(source: Series) -> str:
    """What the planes of this very stack are known by, since marks are kept with it: its frames, whatever else is open.

    A series of several stacks has a number for each ("#2") that depends on what was opened.
    """
    frames = "\n".join(f"{frame.image.sop_uid or frame.image.name} {frame.frame}" for frame in source.frames)
    return f"{source.uid}/{hashlib.sha256(frames.encode()).hexdigest()[:16]}"


def is_plane(frame: FrameRef) -> bool:
    """Was it cut by `planes_of`, so that no file holds it?"""
    return frame.image.sop_uid.startswith("mpr/")


def _plane(block: NDArray[Any], cut: _Cut, index: int) -> NDArray[Any]:
    """[row, column] of one plane, a view into the block."""
    ordered = block.transpose(cut.axes)
    plane: NDArray[Any] = ordered[tuple(slice(None, None, -1 if backwards else 1) for backwards in cut.reverse)][index]
    return plane
