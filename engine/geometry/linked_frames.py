"""Finds the frame of one stack that corresponds to a frame of another, for linked scrolling. Knows no pixels."""

from collections.abc import Sequence

import numpy as np

from engine.geometry.planes import normal
from engine.study import FrameRef, Orientation

PARALLEL = 0.98
"""Cosine of the angle between two frames (about 11 degrees) above which they count as parallel."""


def are_parallel(orientation: Orientation, other: Orientation) -> bool:
    """Whether planes of these orientations are parallel within about 11 degrees."""
    return abs(float(np.array(normal(orientation)) @ np.array(normal(other)))) >= PARALLEL


def at_an_angle(frame: FrameRef, others: Sequence[FrameRef]) -> bool:
    """Whether orientations are known and none of `others` is parallel to `frame`.

    Also across frames of reference, since the axes are always those of the patient.
    """
    if frame.orientation is None:
        return False
    directions = {other.orientation for other in others if other.orientation}
    return bool(directions) and not any(are_parallel(frame.orientation, direction) for direction in directions)


def frame_at_same_position(frame: FrameRef, others: Sequence[FrameRef]) -> int | None:
    """Index in `others` of the frame nearest to `frame`, measured along its normal in patient millimeters.

    None if positions are unknown or not comparable: no geometry, different Frame of Reference UIDs (0020,0052), or
    stacks at an angle. Beyond the end of the other stack its last frame; of several at one position the first.
    """
    if frame.position is None or frame.orientation is None or not frame.frame_of_reference:
        return None
    distance = float(np.array(normal(frame.orientation)) @ np.array(frame.position))
    return _nearest(frame.orientation, distance, others, frame.frame_of_reference)


def frame_at_same_distance(
    frame: FrameRef, start: FrameRef, others: Sequence[FrameRef], other_start: FrameRef
) -> int | None:
    """Index in `others` of the frame that is as far from `other_start` as `frame` is from `start`.

    For stacks of two frames of reference that were aligned by hand, `start` with `other_start`. The distance is signed
    and measured in patient millimeters along the normal of `frame`, so neither spacing nor order of the slices matters.
    None as `frame_at_same_position`.
    """
    if frame.orientation is None or None in (frame.position, start.position, other_start.position):
        return None
    axis = np.array(normal(frame.orientation))
    moved = float(axis @ (np.array(frame.position) - np.array(start.position)))
    distance = float(axis @ np.array(other_start.position)) + moved
    return _nearest(frame.orientation, distance, others, other_start.frame_of_reference)


def _nearest(
    orientation: Orientation, distance: float, others: Sequence[FrameRef], frame_of_reference: str
) -> int | None:
    """The parallel frame nearest to a distance along the normal (mm from the origin of the frame of reference)."""
    if not others:
        return None
    axis = np.array(normal(orientation))
    distances = np.full(len(others), np.inf)
    parallel: dict[tuple[float, ...], bool] = {}
    for index, other in enumerate(others):
        if other.frame_of_reference != frame_of_reference or other.position is None or other.orientation is None:
            continue
        if other.orientation not in parallel:
            parallel[other.orientation] = are_parallel(orientation, other.orientation)
        if parallel[other.orientation]:
            x, y, z = other.position
            distances[index] = abs(axis[0] * x + axis[1] * y + axis[2] * z - distance)
    nearest = int(np.argmin(distances))
    return nearest if np.isfinite(distances[nearest]) else None
