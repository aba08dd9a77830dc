"""Paints measurements over a picture: fine lines with a dark rim. For their numbers see views/measure_words.py."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from desktop import theme
from desktop.state.measure.handles import handles, strokes
from desktop.state.measure.measurements import MeasurementsState
from desktop.views.painting.canvas import Canvas, Painter
from engine.measure.measurements import Measurement

RIM = QColor(0, 0, 0, 170)
RIM_WIDTH = 3.5
HANDLE = 3.5
CROSS = 5.0


def figure_painter(measurements: MeasurementsState) -> Painter:
    """The lines of all measurements of the frame on screen; handles on the selected one."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        for item in measurements.on(canvas.state):
            lines, axis = _lines(canvas, item), _axis(canvas, item)
            chosen = item is measurements.draft or item.id == measurements.selected
            color = QColor(theme.ON_IMAGE_MARK if chosen else theme.ON_IMAGE_ACCENT)
            _paint_figure(painter, lines, axis, color)
            if chosen:
                _paint_handles(painter, canvas, item, color)
            for line in (*lines, *axis):
                canvas.figures.addPolygon(line)

    return paint


def _paint_figure(painter: QPainter, lines: Sequence[QPolygonF], axis: Sequence[QPolygonF], color: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for pen in (QPen(RIM, RIM_WIDTH), QPen(color, 1.4)):
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        for line in lines:
            painter.drawPolyline(line)
    painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
    for line in axis:
        painter.drawPolyline(line)


def _paint_handles(painter: QPainter, canvas: Canvas, item: Measurement, color: QColor) -> None:
    painter.setPen(QPen(RIM, 1))
    painter.setBrush(color)
    for handle in handles(item):
        painter.drawEllipse(canvas.to_screen(handle), HANDLE, HANDLE)


def _lines(canvas: Canvas, item: Measurement) -> list[QPolygonF]:
    """The strokes of a figure on the screen; a single point is a cross."""
    lines: list[QPolygonF] = []
    for stroke in strokes(item):
        places = [canvas.to_screen(point) for point in stroke]
        lines += _cross(places[0]) if len(places) == 1 else [QPolygonF(places)]
    return lines


def _cross(place: QPointF) -> list[QPolygonF]:
    """Open in the middle: the pixel under it is what one wants to see."""
    arms = [QPointF(across, down) for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return [QPolygonF([place + arm * 2, place + arm * (2 + CROSS)]) for arm in arms]


def _axis(canvas: Canvas, item: Measurement) -> list[QPolygonF]:
    """A dotted line from one endplate of a Cobb angle to the other, so that it is seen which two belong together."""
    if item.kind != "cobb" or len(item.points) < 4:
        return []
    ends = [canvas.to_screen(point) for point in item.points]
    return [QPolygonF([(ends[0] + ends[1]) / 2, (ends[2] + ends[3]) / 2])]
