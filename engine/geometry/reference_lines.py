"""Computes where the plane of one frame intersects another, and which frame is nearest to a position.

Knows no pixels.
"""

from collections.abc import Sequence

import numpy as np

from engine.geometry.planes import normal, to_image, to_patient
from engine.study import FrameRef, Point, Vector

MIN_ANGLE = 5.0
"""Degrees: planes closer to parallel than this have no reference line worth showing."""


def share_frame_of_reference(frame: FrameRef, other: FrameRef) -> bool:
    """Whether patient positions of both frames are comparable: same Frame of Reference UID (PS3.3 C.7.4.1)."""
    return bool(frame.frame_of_reference) and frame.frame_of_reference == other.frame_of_reference


def reference_line(source: FrameRef, target: FrameRef) -> tuple[Point, Point] | None:
    """End points, in image coordinates of `target`, of the line along which the image `source` intersects its plane.

    The line may lie outside the image `target`. None if the two frames do not share a frame of reference, if the
    position of one is unknown, if they are (almost) parallel, or if `source` does not reach the plane of `target`.
    """
    if not share_frame_of_reference(source, target) or source.orientation is None or target.orientation is None:
        return None
    cosine = abs(float(np.dot(normal(source.orientation), normal(target.orientation))))
    if cosine > np.cos(np.radians(MIN_ANGLE)):
        return None
    columns, rows = float(source.image.columns), float(source.image.rows)
    corners = [to_patient(source, corner) for corner in ((0, 0), (columns, 0), (columns, rows), (0, rows))]
    projected = [to_image(target, corner) for corner in corners if corner is not None]
    found = [corner for corner in projected if corner is not None]
    if len(found) != 4:
        return None
    ends = []
    for ((x0, y0), distance), ((x1, y1), next_distance) in zip(found, [*found[1:], found[0]]):
        if (distance < 0) != (next_distance < 0):
            share = distance / (distance - next_distance)
            ends.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return (ends[0], ends[1]) if len(ends) == 2 else None


def nearest_frame(frames: Sequence[FrameRef], position: Vector) -> int | None:
    """Index of the frame whose plane is nearest to a patient position; None if no frame has a known position."""
    distances = [(abs(found[1]), index) for index, frame in enumerate(frames) if (found := to_image(frame, position))]
    return min(distances)[1] if distances else None
