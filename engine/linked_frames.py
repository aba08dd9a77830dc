"""Which frame of one stack belongs to a frame of another when both are scrolled together. Knows no pixels."""

from collections.abc import Sequence

import numpy as np

from engine.cross_reference import same_space
from engine.geometry import normal
from engine.study import FrameRef, Orientation

PARALLEL = 0.98
"""Cosine of the angle between two frames (about 11 degrees) from which they count as parallel."""


def parallel(orientation: Orientation, other: Orientation) -> bool:
    return abs(float(np.array(normal(orientation)) @ np.array(normal(other)))) >= PARALLEL


def at_angle(frame: FrameRef, others: Sequence[FrameRef]) -> bool:
    """Do both have places in the same space (0020,0052), and no frame of `others` is parallel to `frame`?"""
    if frame.orientation is None:
        return False
    directions = {other.orientation for other in others if other.orientation and same_space(frame, other)}
    return bool(directions) and not any(parallel(frame.orientation, direction) for direction in directions)


def frame_at_same_place(frame: FrameRef, others: Sequence[FrameRef]) -> int | None:
    """Index in `others` of the frame nearest to `frame`, measured along its normal in patient millimetres.

    None when position does not tell: another frame of reference (0020,0052), no geometry, or stacks at an angle. Beyond
    the end of the other stack it is its last frame; of several at one place, the first.
    """
    if not others or frame.position is None or frame.orientation is None or not frame.frame_of_reference:
        return None
    across = np.array(normal(frame.orientation))
    places = np.full(len(others), np.inf)
    here = float(across @ np.array(frame.position))
    known: dict[tuple[float, ...], bool] = {}
    for index, other in enumerate(others):
        if other.frame_of_reference != frame.frame_of_reference or other.position is None or other.orientation is None:
            continue
        if other.orientation not in known:
            known[other.orientation] = parallel(frame.orientation, other.orientation)
        if known[other.orientation]:
            x, y, z = other.position
            places[index] = abs(across[0] * x + across[1] * y + across[2] * z - here)
    nearest = int(np.argmin(places))
    return nearest if np.isfinite(places[nearest]) else None
