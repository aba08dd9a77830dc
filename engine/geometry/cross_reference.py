"""Where one frame's plane cuts another, and which frame of a stack lies nearest to a place. Knows no pixels."""

from collections.abc import Sequence

import numpy as np

from engine.geometry.planes import normal, to_image, to_patient
from engine.study import FrameRef, Point, Vector

MIN_ANGLE = 5.0
"""Degrees: planes closer to parallel than this cut nowhere worth showing."""


def same_space(frame: FrameRef, other: FrameRef) -> bool:
    """Do positions of both mean the same place? Only with the same Frame of Reference UID (PS3.3 C.7.4.1)."""
    return bool(frame.frame_of_reference) and frame.frame_of_reference == other.frame_of_reference


def crossing(cutting: FrameRef, frame: FrameRef) -> tuple[Point, Point] | None:
    """Ends, as image points of `frame`, of the line in which the picture `cutting` cuts its plane.

    None when they share no frame of reference, one of them has no place in the patient, they are (almost) parallel, or
    the picture ends before it reaches the plane. The line may lie outside of `frame`'s own picture.
    """
    if not same_space(cutting, frame) or cutting.orientation is None or frame.orientation is None:
        return None
    cosine = abs(float(np.dot(normal(cutting.orientation), normal(frame.orientation))))
    if cosine > np.cos(np.radians(MIN_ANGLE)):
        return None
    columns, rows = float(cutting.image.columns), float(cutting.image.rows)
    corners = [to_patient(cutting, corner) for corner in ((0, 0), (columns, 0), (columns, rows), (0, rows))]
    seen = [to_image(frame, corner) for corner in corners if corner is not None]
    if len(seen) != 4 or any(place is None for place in seen):
        return None
    ends = []
    for here, there in zip(seen, [*seen[1:], seen[0]]):
        assert here is not None
        assert there is not None
        (x0, y0), before = here
        (x1, y1), after = there
        if (before < 0) != (after < 0):
            share = before / (before - after)
            ends.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return (ends[0], ends[1]) if len(ends) == 2 else None


def nearest(frames: Sequence[FrameRef], place: Vector) -> int | None:
    """The frame (0-based) whose plane lies nearest to a place in the patient; None when none has a place."""
    found = [(abs(seen[1]), index) for index, frame in enumerate(frames) if (seen := to_image(frame, place))]
    return min(found)[1] if found else None
