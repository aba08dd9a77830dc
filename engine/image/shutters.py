"""Reads the display shutter of an image (PS3.3 C.7.6.11). Changes no pixels."""

from dataclasses import dataclass

from engine.dicom.values import Header, integer, numbers, texts
from engine.study import Point


@dataclass(frozen=True, slots=True)
class Shutter:
    """The visible part of an image: the intersection of all shapes.

    Image points (column, row), continuous; 0, 0 is the outer corner of the first pixel.
    """

    rectangle: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom."""
    circle: tuple[float, float, float] | None = None
    """Column and row of the center, radius in columns."""
    polygon: tuple[Point, ...] = ()
    """Vertices, three or more; empty for none."""


def shutter(dataset: Header) -> Shutter | None:
    """The shutter of an image; None without one, or when its attributes are invalid."""
    shapes = [shape.upper() for shape in texts(dataset, "ShutterShape")]
    rectangle = _rectangle(dataset) if "RECTANGULAR" in shapes else None
    circle = _circle(dataset) if "CIRCULAR" in shapes else None
    polygon = _polygon(dataset) if "POLYGONAL" in shapes else ()
    return Shutter(rectangle, circle, polygon) if rectangle or circle or polygon else None


def _rectangle(dataset: Header) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom. The header gives 1-based columns and rows, all visible."""
    left, right = integer(dataset, "ShutterLeftVerticalEdge"), integer(dataset, "ShutterRightVerticalEdge")
    top, bottom = integer(dataset, "ShutterUpperHorizontalEdge"), integer(dataset, "ShutterLowerHorizontalEdge")
    if left is None or right is None or top is None or bottom is None or left > right or top > bottom:
        return None
    return left - 1.0, top - 1.0, float(right), float(bottom)


def _circle(dataset: Header) -> tuple[float, float, float] | None:
    center, radius = numbers(dataset, "CenterOfCircularShutter"), integer(dataset, "RadiusOfCircularShutter")
    if len(center) != 2 or not radius or radius < 1:
        return None
    return center[1] - 0.5, center[0] - 0.5, float(radius)


def _polygon(dataset: Header) -> tuple[Point, ...]:
    """The header gives alternating 1-based rows and columns of pixels; vertices are their centers."""
    values = numbers(dataset, "VerticesOfThePolygonalShutter")
    vertices = tuple((column - 0.5, row - 0.5) for row, column in zip(values[::2], values[1::2]))
    return vertices if len(vertices) >= 3 else ()
