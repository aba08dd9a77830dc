"""Paints what belongs to the image itself: shutter and scale bar; for overlay planes see views/overlay_planes.py."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from desktop import theme
from desktop.state.viewer.annotations import TOP_LINES
from desktop.state.viewer.scale_bar import scale_bar
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.overlay_text import MARGIN, line_in, write
from engine.geometry.spacing import spacing_for
from engine.image.shutters import Shutter

TICK = 4.0
RIM = QColor(0, 0, 0, 170)


def shutter_painter() -> Painter:
    """Black over what the device shut out."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is not None and picture.pixels.shutter is not None:
            outside = QPainterPath()
            outside.addRect(0, 0, canvas.shape.columns, canvas.shape.rows)
            outside = outside.subtracted(_opening(picture.pixels.shutter, canvas))
            painter.setTransform(canvas.transform, True)
            painter.fillPath(outside, QColor(theme.VIEWER))

    return paint


def _opening(shutter: Shutter, canvas: Canvas) -> QPainterPath:
    seen = QPainterPath()
    seen.addRect(0, 0, canvas.shape.columns, canvas.shape.rows)
    if shutter.rectangle is not None:
        left, top, right, bottom = shutter.rectangle
        part = QPainterPath()
        part.addRect(left, top, right - left, bottom - top)
        seen = seen.intersected(part)
    if shutter.circle is not None:
        x, y, radius = shutter.circle
        row, column = canvas.shape.spacing or (1.0, 1.0)
        part = QPainterPath()
        part.addEllipse(QPointF(x, y), radius, radius * column / row)
        seen = seen.intersected(part)
    if shutter.polygon:
        part = QPainterPath()
        part.addPolygon(QPolygonF([QPointF(*point) for point in shutter.polygon]))
        part.closeSubpath()
        seen = seen.intersected(part)
    return seen


def scale_painter() -> Painter:
    """An upright bar of a round length at the right edge, only where millimetres are known.

    It stands between the lines of the corner and the orientation letter.
    """

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.texts:
            return
        scale = spacing_for(picture.ref)
        metrics = QFontMetricsF(painter.font())
        line = metrics.lineSpacing()
        below = canvas.view.height / 2 - 1.5 * line
        found = scale_bar(canvas.view, canvas.shape, scale, below - MARGIN - (TOP_LINES + 0.5) * line)
        if found is None:
            return
        length, words = found
        x = canvas.view.width - MARGIN - TICK
        top, bottom = QPointF(x, below - length), QPointF(x, below)
        for pen in (QPen(RIM, 3.5), QPen(QColor(theme.ON_IMAGE), 1.2)):
            painter.setPen(pen)
            painter.drawLine(top, bottom)
            for end in (top, bottom):
                painter.drawLine(end, end - QPointF(TICK, 0))
        if scale.source != "region":  # an ultrasound image has no other millimetres
            words = ", ".join(part for part in (words, scale.remark) if part)
        room = QRectF(0, bottom.y() - line, x - 2 * TICK, line)
        written = line_in(room, Qt.AlignmentFlag.AlignRight, words, theme.ON_IMAGE, metrics)
        write(painter, written)
        canvas.taken.extend((written.place, QRectF(x - TICK, top.y(), 2 * TICK, length)))

    return paint
