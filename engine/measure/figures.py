"""The table of figures that can be drawn on a frame to measure or annotate it. Knows no screen and no storage.

A new measuring tool is one row in `FIGURES` and the function that reads it. All points are image points.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from math import cos, pi, sin

from engine.geometry.spacing import spacing_for
from engine.image.pixels import Pixels
from engine.measure import formulas, roi
from engine.measure.readings import Reading
from engine.study import FrameRef, Point

Points = tuple[Point, ...]
Strokes = tuple[Points, ...]
"""Polylines; a stroke of one point marks that point."""
Read = Callable[[Points, FrameRef, Pixels | None], Reading]
"""Calculates the numbers from the points, the frame, and its pixels; without pixels it leaves their values out."""
MIN_OUTLINE, MAX_OUTLINE = 3, 10_000
"""Points of a freehand outline."""
_ELLIPSE_SIDES = 48


def _each_point(points: Points) -> Points:
    return points


def _move_point(points: Points, handle: int, target: Point) -> Points:
    return (*points[:handle], target, *points[handle + 1 :])


def _polyline(points: Points) -> Strokes:
    return (points,)


def _none(points: Points) -> Strokes:
    return ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One kind of measurement: how it is drawn, dragged and read."""

    kind: str
    """Identifies it in stored measurements, so it never changes."""
    label: str
    """As it is called on screen."""
    points: int | None
    """Number of points that define it; None for an outline drawn freehand."""
    read: Read
    _: KW_ONLY
    uses_pixels: bool = True
    """Whether `read` needs pixels; otherwise the points and the header are enough."""
    handles: Callable[[Points], Points] = _each_point
    """Points that can be dragged."""
    move_handle: Callable[[Points, int, Point], Points] = _move_point
    """The points after the handle of that index was dragged to a target."""
    strokes: Callable[[Points], Strokes] = _polyline
    """The lines to draw; as much of them as there is while points are still missing."""
    guides: Callable[[Points], Strokes] = _none
    """Dotted lines that help to read the figure and cannot be dragged."""
    annotation: bool = False
    """It says what the user wrote (`Measurement.text`) instead of measuring."""
    needs_text: bool = False
    """An annotation that is nothing without its text."""
    arrowhead: bool = False
    """Its first point is painted as an arrowhead."""

    @property
    def freehand(self) -> bool:
        """Whether it is drawn with the mouse button held, with any number of points."""
        return self.points is None

    def is_complete(self, points: Points) -> bool:
        """Whether there are enough points to read it."""
        return len(points) >= (self.points or MIN_OUTLINE)

    def accepts(self, points: Points) -> bool:
        """Whether exactly these points can define one."""
        return MIN_OUTLINE <= len(points) <= MAX_OUTLINE if self.points is None else len(points) == self.points


# -- reading


def _read_length(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    return Reading(spacing, length=formulas.length(points[0], points[1], spacing))


def _read_angle(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    return Reading(spacing, angle=formulas.angle(points[0], points[1], points[2], spacing))


def _read_cobb(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    return Reading(spacing, angle=formulas.cobb((points[0], points[1]), (points[2], points[3]), spacing))


def _read_probe(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    if pixels is None:
        return Reading(spacing)
    return Reading(spacing, value=roi.value_at(pixels, points[0]), unit=pixels.unit)


def _read_rectangle(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    area = formulas.rectangle_area(points[0], points[1], spacing)
    region = roi.rectangle(points[0], points[1], _shape(frame)) if pixels is not None else None
    return Reading(spacing, area=area, statistics=_statistics(pixels, region))


def _read_ellipse(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    area = formulas.ellipse_area(points[0], points[1], spacing)
    region = roi.ellipse(points[0], points[1], _shape(frame)) if pixels is not None else None
    return Reading(spacing, area=area, statistics=_statistics(pixels, region))


def _read_freehand(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    region = roi.outline(points, _shape(frame)) if pixels is not None else None
    return Reading(spacing, area=formulas.outline_area(points, spacing), statistics=_statistics(pixels, region))


def _shape(frame: FrameRef) -> tuple[int, int]:
    return frame.image.rows, frame.image.columns


def _statistics(pixels: Pixels | None, region: roi.Region | None) -> roi.Statistics | None:
    return roi.statistics(pixels, region) if pixels is not None and region is not None else None


def _read_nothing(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    return Reading(spacing_for(frame, points))


# -- drawing and dragging


def _two_lines(points: Points) -> Strokes:
    return points[:2], points[2:4]


def _axis_of_endplates(points: Points) -> Strokes:
    """Joins the midpoints of the two lines, to show that they belong together."""
    if len(points) < 4:
        return ()
    return ((formulas.midpoint(points[0], points[1]), formulas.midpoint(points[2], points[3])),)


def _corners(points: Points) -> Points:
    """All four corners of the rectangle between two of them, in order around it."""
    if len(points) != 2:
        return points
    (x0, y0), (x1, y1) = points
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def _move_corner(points: Points, handle: int, target: Point) -> Points:
    """The opposite corner stays."""
    return _corners(points)[(handle + 2) % 4], target


def _box(points: Points) -> Strokes:
    return ((*_corners(points), points[0]),) if len(points) == 2 else (points,)


def _ellipse(points: Points) -> Strokes:
    if len(points) != 2:
        return (points,)
    x, y = formulas.midpoint(*points)
    half_width, half_height = (points[1][0] - points[0][0]) / 2, (points[1][1] - points[0][1]) / 2
    angles = (2 * pi * step / _ELLIPSE_SIDES for step in range(_ELLIPSE_SIDES + 1))
    return (tuple((x + half_width * cos(angle), y + half_height * sin(angle)) for angle in angles),)


def _closed(points: Points) -> Strokes:
    return ((*points, points[0]),) if len(points) >= MIN_OUTLINE else (points,)


def _no_handles(points: Points) -> Points:
    """A freehand outline is moved as a whole."""
    return ()


FIGURES: dict[str, Figure] = {
    figure.kind: figure
    for figure in (
        Figure("length", "Length", 2, _read_length, uses_pixels=False),
        Figure("angle", "Angle", 3, _read_angle, uses_pixels=False),
        Figure("cobb", "Cobb angle", 4, _read_cobb, uses_pixels=False, strokes=_two_lines, guides=_axis_of_endplates),
        Figure(
            "rectangle", "Rectangle ROI", 2, _read_rectangle, handles=_corners, move_handle=_move_corner, strokes=_box
        ),
        Figure(
            "ellipse", "Ellipse ROI", 2, _read_ellipse, handles=_corners, move_handle=_move_corner, strokes=_ellipse
        ),
        Figure("region", "Freehand ROI", None, _read_freehand, handles=_no_handles, strokes=_closed),
        Figure("probe", "Probe", 1, _read_probe),
        Figure("arrow", "Arrow", 2, _read_nothing, uses_pixels=False, annotation=True, arrowhead=True),
        Figure("text", "Text", 1, _read_nothing, uses_pixels=False, strokes=_none, annotation=True, needs_text=True),
    )
}
"""By kind, in the order of the menu. Points of an angle: side, vertex, side; of a Cobb angle: two of each line; of a
rectangle and an ellipse: two opposite corners; of an arrow: head, tail."""
