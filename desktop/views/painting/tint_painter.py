"""Paints the masks of segmentations as tints, each with its label. Caches their images."""

from collections import OrderedDict

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QTransform

from desktop.state.viewer.documents import DocumentsState, Tint
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.overlay_text import aligned_line, draw_text

COLORS = ("#e0564f", "#4fa3e0", "#57b865", "#e0b04f", "#a26fd9", "#45bfb2", "#d96fa8", "#a3a94a")
"""Of the segments that are shown, in their order; more begin anew."""
ALPHA = 96
IMAGES = 64
"""Images that are kept; a mask is at most as large as its slice."""


def tint_painter(documents: DocumentsState) -> Painter:
    """Paints each mask on the image and its label at the mask's corner. Labels are hidden with the overlay text."""
    images: OrderedDict[tuple[int, int], tuple[Tint, QImage]] = OrderedDict()

    def image_of(tint: Tint) -> QImage:
        key = (id(tint.mask), tint.color)
        if key not in images:  # keeps the mask, so that its id stays unique
            images[key] = (tint, tinted(tint))
        images.move_to_end(key)
        while len(images) > IMAGES:
            images.popitem(last=False)
        return images[key][1]

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        tints = documents.tints(picture.ref) if picture is not None else []
        for tint in tints:
            placement = QTransform(*tint.mask.placement)
            painter.save()
            painter.setTransform(placement * canvas.transform, True)
            painter.drawImage(0, 0, image_of(tint))
            painter.restore()
        for tint in tints if canvas.overlay_text_visible else ():
            _label(painter, canvas, tint)

    return paint


def tinted(tint: Tint) -> QImage:
    """A mask in its color, transparent elsewhere."""
    color = QColor(COLORS[tint.color % len(COLORS)])
    color.setAlpha(ALPHA)
    rows, columns = tint.mask.bits.shape
    argb = np.where(tint.mask.bits, np.uint32(color.rgba()), np.uint32(0))
    data = np.ascontiguousarray(argb, np.uint32)
    return QImage(data.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32).copy()


def _label(painter: QPainter, canvas: Canvas, tint: Tint) -> None:
    """The label of a segment above the left end of its mask, unless other text is there."""
    rows, columns = tint.mask.bits.shape
    on_screen = (QTransform(*tint.mask.placement) * canvas.transform).mapRect(QRectF(0, 0, columns, rows))
    metrics = QFontMetricsF(painter.font())
    corner = on_screen.topLeft() - QPointF(0, metrics.lineSpacing())
    row = QRectF(corner.x(), corner.y(), 1, metrics.lineSpacing())
    color = COLORS[tint.color % len(COLORS)]
    line = aligned_line(row, Qt.AlignmentFlag.AlignLeft, tint.label, color, metrics)
    if tint.label and not any(line.rect.intersects(other) for other in canvas.occupied):
        draw_text(painter, line)
        canvas.occupied.append(line.rect)
