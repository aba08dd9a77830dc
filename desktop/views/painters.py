"""What is painted over a picture, in this order: a list of painters made from the states. Paints only the region."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop import theme
from desktop.desk import Desk
from desktop.state.basic_tools import Regions
from desktop.views.canvas import Canvas, Painter


def painters_for(desk: Desk) -> list[Painter]:
    """The painters of every viewport, the first at the bottom."""
    return [region_painter(desk.regions)]


def region_painter(regions: Regions) -> Painter:
    """The rectangle that is being drawn for a zoom or a window."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        if regions.viewport is canvas.state:
            painter.setPen(QPen(QColor(theme.ON_IMAGE_ACCENT), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(QPointF(*regions.start), QPointF(*regions.end)).normalized())

    return paint
