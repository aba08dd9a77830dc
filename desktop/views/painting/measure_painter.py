"""Paints the lines and handles of measurements. For their numbers see measure_text.py."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from desktop import theme
from desktop.state.measure.measurements import MeasurementsState
from desktop.views.painting.canvas import Canvas, Painter
from engine.measure.figures import Strokes
from engine.measure.measurements import Measurement

RIM = QColor(0, 0, 0, 170)
RIM_WIDTH = 3.5
HANDLE_RADIUS = 3.5
ARROWHEAD, SPREAD = 13.0, math.radians(24)
"""Length of the two sides of an arrowhead, and the angle of each with the shaft."""
CROSS = 5.0
"""Length of an arm of the cross at a single point."""


def figure_painter(measurements: MeasurementsState) -> Painter:
    """Paints all measurements on the frame, the selected one with handles."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        for item in measurements.on(canvas.state):
            lines = _polygons(canvas, item.strokes)
            if item.figure.arrowhead and len(item.points) > 1:
                lines.append(arrowhead(canvas.to_screen(item.points[0]), canvas.to_screen(item.points[1])))
            guides = _polygons(canvas, item.figure.guides(item.points))
            selected = item is measurements.draft or item.id == measurements.selected
            color = QColor(theme.ON_IMAGE_MARK if selected else theme.ON_IMAGE_ACCENT)
            _paint_figure(painter, lines, guides, color)
            if selected:
                _paint_handles(painter, canvas, item, color)
            for line in (*lines, *guides):
                canvas.figures.addPolygon(line)

    return paint


def _paint_figure(painter: QPainter, lines: Sequence[QPolygonF], guides: Sequence[QPolygonF], color: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(RIM, RIM_WIDTH), QPen(color, 1.4)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)
    painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
    for line in guides:
        painter.drawPolyline(line)


def _paint_handles(painter: QPainter, canvas: Canvas, item: Measurement, color: QColor) -> None:
    painter.setPen(QPen(RIM, 1))
    painter.setBrush(color)
    for handle in item.handles:
        painter.drawEllipse(canvas.to_screen(handle), HANDLE_RADIUS, HANDLE_RADIUS)


def _polygons(canvas: Canvas, strokes: Strokes) -> list[QPolygonF]:
    """Strokes in screen coordinates; a single point becomes a cross."""
    found: list[QPolygonF] = []
    for stroke in strokes:
        points = [canvas.to_screen(point) for point in stroke]
        found += _cross(points[0]) if len(points) == 1 else [QPolygonF(points)]
    return found


def arrowhead(head: QPointF, tail: QPointF) -> QPolygonF:
    """Both sides of an arrowhead in screen coordinates, as large whatever the zoom, but never beyond the tail."""
    along = tail - head
    length = math.hypot(along.x(), along.y())
    reach, angle = min(ARROWHEAD, length), math.atan2(along.y(), along.x())
    ends = [head + QPointF(math.cos(angle + turn), math.sin(angle + turn)) * reach for turn in (SPREAD, -SPREAD)]
    return QPolygonF([ends[0], head, ends[1]])


def _cross(center: QPointF) -> list[QPolygonF]:
    """Open in the middle, so that it does not cover the pixel."""
    arms = [QPointF(across, down) for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return [QPolygonF([center + arm * 2, center + arm * (2 + CROSS)]) for arm in arms]
