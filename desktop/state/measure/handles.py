"""Handles of measurements, and which of them lies under the mouse. Pure functions; knows no widgets."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import cos, hypot, pi, sin

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.measure.measurements import Measurement
from engine.study import Point

HANDLE_REACH = 9.0
BODY_REACH = 6.0
"""Logical pixels within which a handle, or a line, counts as hit."""
WHOLE = -1
"""In place of a handle: the whole figure."""
_ROUND = 48


def handles(item: Measurement) -> tuple[Point, ...]:
    """Image points that can be dragged; a free outline is moved as a whole."""
    if item.kind in ("rectangle", "ellipse") and len(item.points) == 2:
        (x0, y0), (x1, y1) = item.points
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1)
    return () if item.kind == "region" else item.points


def drag(item: Measurement, handle: int, start: Point, end: Point, columns: float, rows: float) -> Measurement:
    """The measurement with one handle, or all of it, moved from one image point to another, within the image."""
    if handle == WHOLE:
        return _moved(item, end[0] - start[0], end[1] - start[1], columns, rows)
    x, y = min(columns, max(0.0, end[0])), min(rows, max(0.0, end[1]))
    if item.kind in ("rectangle", "ellipse"):
        opposite = handles(item)[(handle + 2) % 4]
        return replace(item, points=(opposite, (x, y)))
    points = list(item.points)
    points[handle] = (x, y)
    return replace(item, points=tuple(points))


def _moved(item: Measurement, right: float, down: float, columns: float, rows: float) -> Measurement:
    x = [point[0] for point in item.points]
    y = [point[1] for point in item.points]
    right = min(columns - max(x), max(-min(x), right))
    down = min(rows - max(y), max(-min(y), down))
    return replace(item, points=tuple((column + right, row + down) for column, row in item.points))


def strokes(item: Measurement) -> list[list[Point]]:
    """The lines of a figure in image points; a figure that still lacks points gives what there is."""
    points = list(item.points)
    if item.kind == "cobb":
        return [points[:2], points[2:4]]
    if item.kind in ("rectangle", "ellipse") and len(points) == 2:
        return [_ring(points[0], points[1]) if item.kind == "ellipse" else [*handles(item), points[0]]]
    if item.kind == "region" and len(points) > 2:
        return [[*points, points[0]]]
    return [points]


def _ring(corner: Point, opposite: Point) -> list[Point]:
    x, y = (corner[0] + opposite[0]) / 2, (corner[1] + opposite[1]) / 2
    width, height = (opposite[0] - corner[0]) / 2, (opposite[1] - corner[1]) / 2
    angles = (2 * pi * step / _ROUND for step in range(_ROUND + 1))
    return [(x + width * cos(angle), y + height * sin(angle)) for angle in angles]


def hit(items: Sequence[Measurement], view: View, shape: Shape, place: Point) -> tuple[Measurement, int] | None:
    """The measurement under a viewport position and its handle, or WHOLE for its line; the one drawn last wins."""

    def screen(point: Point) -> Point:
        return geometry.to_screen(view, shape, point)

    for item in reversed(items):
        near = [(_distance(screen(handle), place), index) for index, handle in enumerate(handles(item))]
        if near and min(near)[0] <= HANDLE_REACH:
            return item, min(near)[1]
    for item in reversed(items):
        for line in strokes(item):
            corners = [screen(point) for point in line]
            if any(_to_segment(place, a, b) <= BODY_REACH for a, b in pairwise(corners)):
                return item, WHOLE
    return None


def _distance(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _to_segment(place: Point, start: Point, end: Point) -> float:
    along = end[0] - start[0], end[1] - start[1]
    size = along[0] ** 2 + along[1] ** 2
    share = ((place[0] - start[0]) * along[0] + (place[1] - start[1]) * along[1]) / size if size else 0.0
    share = min(1.0, max(0.0, share))
    return _distance(place, (start[0] + share * along[0], start[1] + share * along[1]))
