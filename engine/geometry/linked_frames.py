"""Which frame of one stack belongs to a frame of another when both are scrolled together. Knows no pixels."""

from collections.abc import Sequence

import numpy as np

from engine.geometry.planes import normal
from engine.study import FrameRef, Orientation

PARALLEL = 0.98
"""Cosine of the angle between two frames (about 11 degrees) from which they count as parallel."""


def parallel(orientation: Orientation, other: Orientation) -> bool:
    return abs(float(np.array(normal(orientation)) @ np.array(normal(other)))) >= PARALLEL


def at_angle(frame: FrameRef, others: Sequence[FrameRef]) -> bool:
    """Do both have places, and no frame of `others` is parallel to `frame`? Every study has the patient's axes."""
    if frame.orientation is None:
        return False
    directions = {other.orientation for other in others if other.orientation}
    return bool(directions) and not any(parallel(frame.orientation, direction) for direction in directions)


def frame_at_same_place(frame: FrameRef, others: Sequence[FrameRef]) -> int | None:
    """Index in `others` of the frame nearest to `frame`, measured along its normal in patient millimetres.

    None when position does not tell: another frame of reference (0020,0052), no geometry, or stacks at an angle. Beyond
    the end of the other stack it is its last frame; of several at one place, the first.
    """
    if frame.position is None or frame.orientation is None or not frame.frame_of_reference:
        return None
    here = float(np.array(normal(frame.orientation)) @ np.array(frame.position))
    return _nearest(frame.orientation, here, others, frame.frame_of_reference)


def frame_as_far(frame: FrameRef, start: FrameRef, others: Sequence[FrameRef], other_start: FrameRef) -> int | None:
    """Index in `others` of the frame as far from `other_start` as `frame` is from `start`, the same way in the patient.

    For stacks of two frames of reference that were lined up by hand, `start` with `other_start`: millimetres along the
    normal of `frame`, so that neither the spacing nor the order of the slices matters. None as `frame_at_same_place`.
    """
    if frame.orientation is None or None in (frame.position, start.position, other_start.position):
        return None
    across = np.array(normal(frame.orientation))
    moved = float(across @ (np.array(frame.position) - np.array(start.position)))
    there = float(across @ np.array(other_start.position)) + moved
    return _nearest(frame.orientation, there, others, other_start.frame_of_reference)


def _nearest(orientation: Orientation, place: float, others: Sequence[FrameRef], space: str) -> int | None:
    """The parallel frame of that frame of reference nearest to a place in millimetres along the normal."""
    if not others:
        return None
    across = np.array(normal(orientation))
    distances = np.full(len(others), np.inf)
    known: dict[tuple[float, ...], bool] = {}
    for index, other in enumerate(others):
        if other.frame_of_reference != space or other.position is None or other.orientation is None:
            continue
        if other.orientation not in known:
            known[other.orientation] = parallel(orientation, other.orientation)
        if known[other.orientation]:
            x, y, z = other.position
            distances[index] = abs(across[0] * x + across[1] * y + across[2] * z - place)
    nearest = int(np.argmin(distances))
    return nearest if np.isfinite(distances[nearest]) else None
