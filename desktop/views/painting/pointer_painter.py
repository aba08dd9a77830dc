"""Paints the pointer that keys move over an image, and which keys do what."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from desktop import theme
from desktop.state.viewer.key_pointer import KeyPointer
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.overlay_text import MARGIN, RIM, aligned_line, draw_text

INNER, OUTER = 5.0, 16.0
"""Ends of its four arms in logical pixels from its middle, which stays free."""
HELP = "Arrow keys move, finely with Shift · Enter presses and releases · Esc ends"


def pointer_painter(pointer: KeyPointer) -> Painter:
    """Paints it over everything else, and the keys above the letter at the lower edge."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        if pointer.viewport is not canvas.state:
            return
        middle = QPointF(*pointer.point)
        arms = [QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)]
        for pen in (QPen(RIM, 4), QPen(QColor(theme.ON_IMAGE_ACCENT), 1.5)):
            painter.setPen(pen)
            for arm in arms:
                painter.drawLine(middle + arm * INNER, middle + arm * OUTER)
        metrics = QFontMetricsF(painter.font())
        line = metrics.lineSpacing()
        row = QRectF(MARGIN, canvas.view.height - MARGIN - 2.5 * line, canvas.view.width - 2 * MARGIN, line)
        text = metrics.elidedText(HELP, Qt.TextElideMode.ElideRight, row.width())
        draw_text(painter, aligned_line(row, Qt.AlignmentFlag.AlignHCenter, text, theme.ON_IMAGE, metrics))

    return paint
