"""Paints where the oblique plane of MPR cuts the other planes, with the center about which it is turned."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from desktop import theme
from desktop.state.mpr.oblique import ObliqueState
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.measure_painter import RIM

RADIUS = 5.0
"""Of the ring around the center, in logical pixels."""


def oblique_painter(oblique: ObliqueState) -> Painter:
    """Paints the line and the center on every other plane of MPR, also on the active one."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        line = oblique.line_on(picture.ref) if picture is not None else None
        if line is None:
            return
        start, end, center = map(canvas.to_screen, line)
        painter.setClipRegion(canvas.free)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(RIM, 3), QPen(QColor(theme.ON_IMAGE_MARK), 1.4)):
            painter.setPen(pen)
            painter.drawLine(start, end)
            painter.drawEllipse(center, RADIUS, RADIUS)

    return paint
