"""Paints the lens of the magnifier: the pixels of the image, enlarged, in a circle around the mouse."""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen

from desktop import theme
from desktop.state.pictures.picture import part_at_full_size
from desktop.state.viewer import geometry
from desktop.state.viewer.basic_tools import LENS_RADIUS, MagnifierState, lens_factor
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.images import PIXELS_FROM, to_qimage
from desktop.views.painting.overlay_text import RIM, aligned_line, draw_text


def lens_painter(magnifier: MagnifierState, painters: Sequence[Painter] = ()) -> Painter:
    """Paints the lens over everything else.

    Args:
        magnifier: whether and where.
        painters: what else belongs to the image and is enlarged with it; measurements would cover its pixels.
    """

    def paint(painter: QPainter, canvas: Canvas) -> None:
        if not magnifier.on or magnifier.viewport is not canvas.state or canvas.state.mouse_point is None:
            return
        center, factor = QPointF(*magnifier.point), lens_factor(canvas.state.scale)
        circle = QRectF(0, 0, 2 * LENS_RADIUS, 2 * LENS_RADIUS)
        circle.moveCenter(center)
        round_path = QPainterPath()
        round_path.addEllipse(circle)
        view = geometry.zoomed(canvas.view, canvas.shape, factor, magnifier.point)
        enlarged = replace(canvas, view=view, occupied=[], overlay_text_visible=False)
        painter.save()
        painter.setClipPath(round_path)
        painter.fillRect(circle, QColor(theme.VIEWER))
        _paint_pixels(painter, enlarged, circle)
        for one in painters:
            painter.save()
            one(painter, enlarged)
            painter.restore()
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(RIM, 4), QPen(QColor(theme.ON_IMAGE_ACCENT), 1.5)):
            painter.setPen(pen)
            painter.drawEllipse(circle)
        metrics = QFontMetricsF(painter.font())
        row = QRectF(circle.left(), circle.bottom() - 2 * metrics.lineSpacing(), circle.width(), metrics.lineSpacing())
        text, center_of = f"{round(factor, 1):g}×", Qt.AlignmentFlag.AlignHCenter
        draw_text(painter, aligned_line(row, center_of, text, theme.ON_IMAGE, metrics))

    return paint


def _paint_pixels(painter: QPainter, canvas: Canvas, circle: QRectF) -> None:
    """The part of the image under the lens, each pixel as it is shown outside."""
    picture, transform = canvas.state.picture, canvas.transform
    assert picture is not None
    seen = transform.inverted()[0].mapRect(circle).toAlignedRect().adjusted(-1, -1, 1, 1)
    part = seen & QRect(0, 0, canvas.shape.columns, canvas.shape.rows)
    if part.isEmpty():
        return
    rows, columns = slice(part.top(), part.bottom() + 1), slice(part.left(), part.right() + 1)
    painter.save()
    painter.setTransform(transform, True)
    scale = geometry.scale_of(canvas.view, canvas.shape)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < PIXELS_FROM)
    painter.drawImage(part.topLeft(), to_qimage(part_at_full_size(picture, rows, columns), canvas.state.color_map))
    painter.restore()
