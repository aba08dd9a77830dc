"""Calculates lengths, angles and areas from image points. Knows no files, no pixels and no screen."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.geometry.spacing import PixelSpacing
from engine.study import Point

Vectors = NDArray[np.float64]
"""float [N, 2]: points or steps, column and row."""


def length(start: Point, end: Point, spacing: PixelSpacing) -> float:
    """Distance in the unit of `spacing`, also for pixels that are not square."""
    return math.hypot(*spacing.offset(start, end))


def angle(first: Point, vertex: Point, last: Point, spacing: PixelSpacing) -> float | None:
    """Degrees (0 to 180) between the two sides that meet at `vertex`; None if a side has no length."""
    return _angle_between(spacing.offset(vertex, first), spacing.offset(vertex, last))


def cobb(line: tuple[Point, Point], other: tuple[Point, Point], spacing: PixelSpacing) -> float | None:
    """Degrees (0 to 180) between two endplates, regardless of the direction in which each was drawn.

    Both lines are oriented towards the same side of the axis that joins their midpoints, as both endplates are read
    from the patient's right to left; so the rotation of the image does not matter either. None if a line has no length.
    """
    axis = spacing.offset(midpoint(*line), midpoint(*other))
    first, second = (_oriented(spacing.offset(*ends), axis) for ends in (line, other))
    return _angle_between(first, second)


def midpoint(start: Point, end: Point) -> Point:
    """Halfway between two points."""
    return (start[0] + end[0]) / 2, (start[1] + end[1]) / 2


def _oriented(line: Point, axis: Point) -> Point:
    """The vector `line`, reversed if it points to the other side of `axis`."""
    cross = axis[0] * line[1] - axis[1] * line[0]
    return line if cross <= 0 else (-line[0], -line[1])


def _angle_between(first: Point, second: Point) -> float | None:
    if not any(first) or not any(second):
        return None
    cross = first[0] * second[1] - first[1] * second[0]
    dot = first[0] * second[0] + first[1] * second[1]
    return math.degrees(math.atan2(abs(cross), dot))


def rectangle_area(corner: Point, opposite: Point, spacing: PixelSpacing) -> float:
    """Area of the upright rectangle between two opposite corners, in the squared unit of `spacing`."""
    right, down = spacing.offset(corner, opposite)
    return abs(right * down)


def ellipse_area(corner: Point, opposite: Point, spacing: PixelSpacing) -> float:
    """Area of the ellipse inscribed in the rectangle between two opposite corners."""
    return math.pi / 4 * rectangle_area(corner, opposite, spacing)


def outline_area(outline: Sequence[Point], spacing: PixelSpacing) -> float | None:
    """Area inside a closed outline (shoelace formula); None if it intersects itself: its inside is then undefined."""
    if len(outline) < 3 or intersects_itself(outline):
        return None
    x, y = np.array(outline, float).T
    x, y = (x - x[0]) * spacing.column, (y - y[0]) * spacing.row
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def intersects_itself(outline: Sequence[Point]) -> bool:
    """Whether two sides of a closed outline cross. Sides that only touch at a corner do not.

    Sides are sorted by their left end. Each is compared with the next, the next but one and so on, for as long as any
    two overlap from left to right: an outline drawn by hand needs a few rounds instead of all pairs.
    """
    start = np.array(outline, float)
    end = np.roll(start, -1, axis=0)
    left, right = np.minimum(start, end)[:, 0], np.maximum(start, end)[:, 0]
    order = np.argsort(left, kind="stable")
    start, step, left, right = start[order], (end - start)[order], left[order], right[order]
    for distance in range(1, len(start)):
        overlapping = np.flatnonzero(left[distance:] <= right[:-distance])
        if not len(overlapping):
            return False
        other = overlapping + distance
        if _sides_cross(start[overlapping], step[overlapping], start[other], step[other]).any():
            return True
    return False


def _sides_cross(start: Vectors, step: Vectors, other: Vectors, other_step: Vectors) -> NDArray[np.bool_]:
    """Whether side i of one list crosses side i of the other, other than at a corner. float [N, 2] each to bool [N]."""

    def cross(first: Vectors, second: Vectors) -> NDArray[np.float64]:
        product: NDArray[np.float64] = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        return product

    offset, determinant = other - start, cross(step, other_step)
    with np.errstate(divide="ignore", invalid="ignore"):
        along, along_other = cross(offset, other_step) / determinant, cross(offset, step) / determinant
    least, most = 1e-9, 1 - 1e-9
    hits: NDArray[np.bool_] = (determinant != 0) & (along > least) & (along < most)
    return hits & (along_other > least) & (along_other < most)
