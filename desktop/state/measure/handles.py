"""Finds the measurement or handle under the mouse and drags it. Pure functions; knows no widgets."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import hypot

from desktop.state.measure.measurements import Rect
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.measure.measurements import Measurement
from engine.study import Point

HANDLE_REACH = 9.0
"""Logical pixels from the mouse within which a handle is hit."""
LINE_REACH = 6.0
"""Logical pixels from the mouse within which a line is hit."""
WHOLE = -1
"""Index that stands for the whole figure instead of one handle."""


def hit_test(
    items: Sequence[Measurement], view: View, shape: Shape, point: Point, texts: Mapping[str, Rect]
) -> tuple[Measurement, int] | None:
    """The measurement at a screen point and the index of its handle, or WHOLE for a line. The one drawn last wins.

    Args:
        items: those on the frame.
        view: how the frame lies in its viewport.
        shape: of the frame.
        point: where the mouse is.
        texts: where the texts of annotations are, by id; a hit there is one on the whole.
    """

    def screen(image_point: Point) -> Point:
        return geometry.to_screen(view, shape, image_point)

    for item in reversed(items):
        near = [(_distance(screen(handle), point), index) for index, handle in enumerate(item.handles)]
        if near and min(near)[0] <= HANDLE_REACH:
            return item, min(near)[1]
    for item in reversed(items):
        if item.id in texts and _is_within(point, texts[item.id]):
            return item, WHOLE
        for stroke in item.strokes:
            line = [screen(image_point) for image_point in stroke]
            if any(_distance_to_segment(point, start, end) <= LINE_REACH for start, end in pairwise(line)):
                return item, WHOLE
    return None


def drag(item: Measurement, handle: int, start: Point, end: Point, columns: float, rows: float) -> Measurement:
    """The measurement with a handle, or all of it, dragged from one image point to another; it stays in the image."""
    if handle == WHOLE:
        return _moved(item, end[0] - start[0], end[1] - start[1], columns, rows)
    return item.with_handle_at(handle, within(end, columns, rows))


def within(point: Point, columns: float, rows: float) -> Point:
    """The nearest point of an image of that size."""
    return min(columns, max(0.0, point[0])), min(rows, max(0.0, point[1]))


def _moved(item: Measurement, right: float, down: float, columns: float, rows: float) -> Measurement:
    x = [point[0] for point in item.points]
    y = [point[1] for point in item.points]
    right = min(columns - max(x), max(-min(x), right))
    down = min(rows - max(y), max(-min(y), down))
    return item.with_points((column + right, row + down) for column, row in item.points)


def _is_within(point: Point, rect: Rect) -> bool:
    left, top, width, height = rect
    return left <= point[0] <= left + width and top <= point[1] <= top + height


def _distance(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _distance_to_segment(point: Point, start: Point, end: Point) -> float:
    along = end[0] - start[0], end[1] - start[1]
    squared = along[0] ** 2 + along[1] ** 2
    share = ((point[0] - start[0]) * along[0] + (point[1] - start[1]) * along[1]) / squared if squared else 0.0
    share = min(1.0, max(0.0, share))
    return _distance(point, (start[0] + share * along[0], start[1] + share * along[1]))
