"""Paints what belongs to the image itself: shutter, overlay planes and the scale bar."""

from collections import OrderedDict

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from desktop import theme
from desktop.state.annotations import TOP_LINES
from desktop.state.scale_bar import scale_bar
from desktop.views.canvas import Canvas, Painter
from desktop.views.overlay_text import MARGIN, line_in, write
from engine.calibration import calibrate
from engine.overlays import Overlay
from engine.shutters import Shutter

TICK = 4.0
RIM = QColor(0, 0, 0, 170)
PLANE_BYTES = 128 * 1024 * 1024
"""Of overlay planes kept as images: a radiograph's takes 30 MB, a CT slice's 1 MB."""


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


def overlay_painter() -> Painter:
    """DICOM overlay planes with a dark rim of one image pixel; hidden with the corner texts, and with the identity,
    for a name may be drawn in them."""
    images = PlaneImages()

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.texts or not canvas.identity:
            return
        for plane in picture.pixels.overlays:
            painter.setTransform(QTransform.fromTranslate(plane.left - 1, plane.top - 1) * canvas.transform, True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            color = theme.ON_IMAGE_ACCENT if plane.region else theme.ON_IMAGE_MARK
            painter.drawImage(0, 0, images.of(plane, color))

    return paint


class PlaneImages:
    """The planes painted last, as images: a paint while zooming takes a fraction of making them."""

    def __init__(self, limit: int = PLANE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[int, str], tuple[Overlay, QImage]] = OrderedDict()

    def of(self, plane: Overlay, color: str) -> QImage:
        """Made once for each plane, the very object, and colour; the newest is kept even beyond the limit."""
        key = (id(plane), color)
        if key not in self._kept:
            self._kept[key] = (plane, plane_image(plane, color))  # with the plane: its id is no other's meanwhile
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self.size > self._limit:
            self._kept.popitem(last=False)
        return self._kept[key][1]

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return sum(image.sizeInBytes() for _, image in self._kept.values())


def plane_image(plane: Overlay, color: str) -> QImage:
    """The plane's bits in colour, one pixel of rim around each, one pixel wider on every side."""
    rows, columns = plane.bits.shape
    padded = np.pad(plane.bits, 2)
    near = np.zeros((rows + 2, columns + 2), bool)
    for down in range(3):
        for right in range(3):
            near |= padded[down : down + rows + 2, right : right + columns + 2]
    rim = np.where(near, np.uint32(0xA0000000), np.uint32(0))
    argb = np.where(np.pad(plane.bits, 1), np.uint32(QColor(color).rgba()), rim)
    data = np.ascontiguousarray(argb, np.uint32)
    return QImage(data.data, columns + 2, rows + 2, 4 * (columns + 2), QImage.Format.Format_ARGB32).copy()


def scale_painter() -> Painter:
    """An upright bar of a round length at the right edge, only where millimetres are known.

    It stands between the lines of the corner and the orientation letter.
    """

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.texts:
            return
        scale = calibrate(picture.ref)
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
