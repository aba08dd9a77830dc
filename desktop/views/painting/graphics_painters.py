"""Paints the display shutter and the scale bar. For overlay planes see overlay_planes.py."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from desktop import theme
from desktop.state.viewer.annotations import TOP_LINES
from desktop.state.viewer.documents import DocumentsState
from desktop.state.viewer.scale_bar import scale_bar
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.overlay_text import MARGIN, aligned_line, draw_text
from engine.geometry.spacing import spacing_for
from engine.image.shutters import Shutter

TICK = 4.0
"""Logical pixels: length of the ticks at the ends of the scale bar."""
RIM = QColor(0, 0, 0, 170)


def shutter_painter(documents: DocumentsState) -> Painter:
    """Paints black over what lies outside the display shutter of the image, or of the presentation state on it."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        shutter = documents.shutter(picture.ref) or picture.pixels.shutter if picture is not None else None
        if shutter is not None:
            outside = QPainterPath()
            outside.addRect(0, 0, canvas.shape.columns, canvas.shape.rows)
            outside = outside.subtracted(_opening(shutter, canvas))
            painter.setTransform(canvas.transform, True)
            painter.fillPath(outside, QColor(theme.VIEWER))

    return paint


def _opening(shutter: Shutter, canvas: Canvas) -> QPainterPath:
    """The part of the image inside all shapes of the shutter, in image coordinates."""
    opening = QPainterPath()
    opening.addRect(0, 0, canvas.shape.columns, canvas.shape.rows)
    if shutter.rectangle is not None:
        left, top, right, bottom = shutter.rectangle
        part = QPainterPath()
        part.addRect(left, top, right - left, bottom - top)
        opening = opening.intersected(part)
    if shutter.circle is not None:
        x, y, radius = shutter.circle
        row, column = canvas.shape.spacing or (1.0, 1.0)
        part = QPainterPath()
        part.addEllipse(QPointF(x, y), radius, radius * column / row)
        opening = opening.intersected(part)
    if shutter.polygon:
        part = QPainterPath()
        part.addPolygon(QPolygonF([QPointF(*point) for point in shutter.polygon]))
        part.closeSubpath()
        opening = opening.intersected(part)
    return opening


def scale_painter() -> Painter:
    """Paints a vertical scale bar of a round length at the right edge, if the spacing is known in millimeters.

    It ends below the overlay text of the corner and above the orientation letter.
    """

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.overlay_text_visible:
            return
        spacing = spacing_for(picture.ref)
        metrics = QFontMetricsF(painter.font())
        line = metrics.lineSpacing()
        below = canvas.view.height / 2 - 1.5 * line
        found = scale_bar(canvas.view, canvas.shape, spacing, below - MARGIN - (TOP_LINES + 0.5) * line)
        if found is None:
            return
        length, text = found
        x = canvas.view.width - MARGIN - TICK
        top, bottom = QPointF(x, below - length), QPointF(x, below)
        for pen in (QPen(RIM, 3.5), QPen(QColor(theme.ON_IMAGE), 1.2)):
            painter.setPen(pen)
            painter.drawLine(top, bottom)
            for end in (top, bottom):
                painter.drawLine(end, end - QPointF(TICK, 0))
        if spacing.source != "region":  # ultrasound has no other source of millimeters
            text = ", ".join(part for part in (text, spacing.remark) if part)
        beside = QRectF(0, bottom.y() - line, x - 2 * TICK, line)
        label = aligned_line(beside, Qt.AlignmentFlag.AlignRight, text, theme.ON_IMAGE, metrics)
        draw_text(painter, label)
        canvas.occupied.extend((label.rect, QRectF(x - TICK, top.y(), 2 * TICK, length)))

    return paint
