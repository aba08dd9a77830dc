"""Lengths, angles and areas of figures drawn on a frame. Pure geometry: knows no files, no pixels and no screen."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.geometry.spacing import PixelSpacing
from engine.study import Point

Points = NDArray[np.float64]


def length(start: Point, end: Point, scale: PixelSpacing) -> float:
    """Distance in the scale's unit; right for pixels that are not square."""
    return math.hypot(*scale.offset(start, end))


def angle(first: Point, corner: Point, last: Point, scale: PixelSpacing) -> float | None:
    """Degrees (0 to 180) between the two sides that meet in `corner`; None when a side has no length."""
    return _between(scale.offset(corner, first), scale.offset(corner, last))


def cobb(line: tuple[Point, Point], other: tuple[Point, Point], scale: PixelSpacing) -> float | None:
    """Degrees (0 to 180) between two endplates, whichever way each was drawn and the image is turned.

    Both lines are read towards the same side of the axis from one line's middle to the other's, as one reads both
    endplates from the patient's right to left. None when a line has no length.
    """
    axis = scale.offset(_middle(*line), _middle(*other))
    first, second = (_towards_one_side(scale.offset(*ends), axis) for ends in (line, other))
    return _between(first, second)


def _middle(start: Point, end: Point) -> Point:
    return (start[0] + end[0]) / 2, (start[1] + end[1]) / 2


def _towards_one_side(line: Point, axis: Point) -> Point:
    side = axis[0] * line[1] - axis[1] * line[0]
    return line if side <= 0 else (-line[0], -line[1])


def _between(first: Point, second: Point) -> float | None:
    if not any(first) or not any(second):
        return None
    cross = first[0] * second[1] - first[1] * second[0]
    dot = first[0] * second[0] + first[1] * second[1]
    return math.degrees(math.atan2(abs(cross), dot))


def rectangle_area(corner: Point, opposite: Point, scale: PixelSpacing) -> float:
    right, down = scale.offset(corner, opposite)
    return abs(right * down)


def ellipse_area(corner: Point, opposite: Point, scale: PixelSpacing) -> float:
    """The ellipse that fills the rectangle between two corners."""
    return math.pi / 4 * rectangle_area(corner, opposite, scale)


def outline_area(outline: Sequence[Point], scale: PixelSpacing) -> float | None:
    """Area inside a closed outline (shoelace formula); None when it crosses itself, for then inside means nothing."""
    if len(outline) < 3 or crosses_itself(outline):
        return None
    x, y = np.array(outline, float).T
    x, y = (x - x[0]) * scale.column, (y - y[0]) * scale.row
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def crosses_itself(outline: Sequence[Point]) -> bool:
    """Do two sides of a closed outline cross? Touching corners do not count.

    Sides are sorted by where they begin from left to right and each is compared with the next, the next but one and so
    on, as long as any two still lie over each other: an outline drawn by hand needs a few rounds, not all pairs.
    """
    start = np.array(outline, float)
    end = np.roll(start, -1, axis=0)
    left, right = np.minimum(start, end)[:, 0], np.maximum(start, end)[:, 0]
    order = np.argsort(left, kind="stable")
    start, step, left, right = start[order], (end - start)[order], left[order], right[order]
    for distance in range(1, len(start)):
        near = np.flatnonzero(left[distance:] <= right[:-distance])
        if not len(near):
            return False
        if _cross(start[near], step[near], start[near + distance], step[near + distance]).any():
            return True
    return False


def _cross(start: Points, step: Points, other: Points, other_step: Points) -> NDArray[np.bool_]:
    """bool [N]: does side i of the one list cross side i of the other, not at a corner? float [N, 2] each."""

    def cross(first: Points, second: Points) -> NDArray[np.float64]:
        product: NDArray[np.float64] = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        return product

    apart, turn = other - start, cross(step, other_step)
    with np.errstate(divide="ignore", invalid="ignore"):
        along, along_other = cross(apart, other_step) / turn, cross(apart, step) / turn
    least, most = 1e-9, 1 - 1e-9
    hits: NDArray[np.bool_] = (turn != 0) & (along > least) & (along < most)
    return hits & (along_other > least) & (along_other < most)
