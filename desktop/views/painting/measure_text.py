"""Paints the numbers of measurements and the texts of annotations, and decides where they fit."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF

from desktop import theme
from desktop.state.measure.measurements import MeasurementsState
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.measure_painter import RIM, RIM_WIDTH
from desktop.views.painting.overlay_text import MARGIN, TextLine, draw_text
from engine.measure.measurements import Measurement, lines_of
from engine.measure.readings import SEPARATOR

GAP = 10.0
"""Logical pixels between a figure and its numbers."""
BESIDE = 7.0
"""Logical pixels from the point of a text to its first letter."""


def measure_text_painter(measurements: MeasurementsState) -> Painter:
    """Paints what is written beside all measurements on the frame while overlay text is visible."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.overlay_text_visible:
            return
        rims = QPainterPathStroker(QPen(RIM, RIM_WIDTH)).createStroke(canvas.figures)
        shown = sorted(measurements.on(canvas.state), key=lambda item: not item.figure.needs_text)  # these do not yield
        for item in shown:
            reading = measurements.reading(item, picture.ref, picture.pixels)
            lines = lines_of(item, reading) if reading is not None else ()
            measurements.text_rects.pop((canvas.state, item.id), None)
            if lines:
                rect = _paint_text(painter, canvas, item, lines, rims)
                if item.figure.annotation:
                    place = rect.left(), rect.top(), rect.width(), rect.height()
                    measurements.text_rects[canvas.state, item.id] = place

    return paint


def _paint_text(
    painter: QPainter, canvas: Canvas, item: Measurement, lines: Sequence[str], figures: QPainterPath
) -> QRectF:
    """Paint the lines, and return where: a text at its point, everything else where it fits beside its figure."""
    metrics = QFontMetricsF(painter.font())
    height, viewport = metrics.lineSpacing(), (canvas.view.width, canvas.view.height)
    lines = wrapped_lines(lines, viewport[0] - MARGIN, metrics)
    size = max(metrics.horizontalAdvance(line) for line in lines), height * len(lines)
    points = [canvas.to_screen(point) for point in item.points]
    if item.figure.needs_text:
        corner = points[0] + QPointF(BESIDE, -height / 2)
        rect = QRectF(_within(corner.x(), size[0], viewport[0]), _within(corner.y(), size[1], viewport[1]), *size)
    else:
        figure = QPolygonF(points[-1:] if item.figure.annotation else points).boundingRect()
        rect = text_rect(figure, size, viewport, canvas.occupied, figures)
    canvas.occupied.append(rect)
    for row, line in enumerate(lines):
        line_rect = QRectF(rect.left(), rect.top() + row * height, rect.width(), height)
        draw_text(painter, TextLine(line_rect, line, theme.ON_IMAGE))
    return rect


def text_rect(
    figure: QRectF,
    size: tuple[float, float],
    viewport: tuple[float, float],
    occupied: Sequence[QRectF],
    figures: QPainterPath,
) -> QRectF:
    """Where to paint numbers of a size (width, height): right, left, below or above their figure.

    They keep clear of `occupied` and of all figures, since numbers on another figure would seem to belong to it. If
    that is impossible, they go right or left of their figure, below or above what is occupied. They always begin
    inside the viewport, even if all of it is occupied.
    """
    (width, height), (across, down) = size, viewport
    beside = _within(figure.center().y() - height / 2, height, down)
    below = sorted(other.bottom() + 2 for other in occupied if other.bottom() + 2 > beside)
    above = sorted((other.top() - 2 - height for other in occupied if other.top() - 2 - height < beside), reverse=True)
    lefts = [figure.right() + GAP, figure.left() - GAP - width]
    if lefts[0] + width > across:
        lefts.reverse()
    lefts = [_within(left, width, across) for left in lefts]
    in_columns = [(left, top) for left in lefts for top in (beside, *below, *above)]
    for corners, avoided in ((_around(figure, size, beside, lefts), figures), (in_columns, QPainterPath())):
        for left, top in corners:
            rect = QRectF(_within(left, width, across), top, width, height)
            overlaps = any(rect.intersects(other) for other in occupied) or avoided.intersects(rect)
            if top == _within(top, height, down) and not overlaps:
                return rect
    return QRectF(lefts[0], beside, width, height)


def _around(
    figure: QRectF, size: tuple[float, float], beside: float, lefts: Sequence[float]
) -> list[tuple[float, float]]:
    """Top left corners around a figure: beside it, then below and above, centered first, then at its ends."""
    width, height = size
    along = (figure.center().x() - width / 2, figure.left(), figure.right() - width)
    tops = (figure.bottom() + GAP, figure.top() - GAP - height)
    return [(left, beside) for left in lefts] + [(left, top) for top in tops for left in along]


def _within(start: float, size: float, available: float) -> float:
    return max(2.0, min(available - size - 2, start))


def wrapped_lines(lines: Sequence[str], width: float, metrics: QFontMetricsF) -> list[str]:
    """The lines; each that is too wide is split into one line per number."""
    found: list[str] = []
    for line in lines:
        found += [line] if metrics.horizontalAdvance(line) <= width else line.split(SEPARATOR)
    return found
