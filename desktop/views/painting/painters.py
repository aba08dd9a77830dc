"""Lists the painters that paint over an image, in order, and defines the small ones."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from desktop import theme
from desktop.desk import Desk
from desktop.state.similar.search import SearchState
from desktop.state.viewer.annotations import TOP_LINES
from desktop.state.viewer.basic_tools import RubberBand
from desktop.state.viewer.key_images import KeyImagesState
from desktop.views.painting.annotation_painter import annotation_painter
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.graphics_painters import scale_painter, shutter_painter
from desktop.views.painting.lens_painter import lens_painter
from desktop.views.painting.measure_painter import figure_painter
from desktop.views.painting.measure_text import measure_text_painter
from desktop.views.painting.oblique_painter import oblique_painter
from desktop.views.painting.overlay_planes import overlay_painter
from desktop.views.painting.overlay_text import MARGIN, aligned_line, draw_text
from desktop.views.painting.pointer_painter import pointer_painter
from desktop.views.painting.tint_painter import tint_painter
from engine.geometry.reference_lines import reference_line


def painters_for(desk: Desk) -> list[Painter]:
    """The painters of a viewport from bottom to top: all text above all lines."""
    return [
        tint_painter(desk.documents),
        shutter_painter(desk.documents),
        overlay_painter(),
        annotation_painter(desk.documents),
        figure_painter(desk.measurements),
        scale_painter(),
        key_image_painter(desk.key_images),
        reference_line_painter(desk),
        oblique_painter(desk.oblique),
        measure_text_painter(desk.measurements),
        roi_painter(desk.search),
        rubber_band_painter(desk.rubber_band),
        lens_painter(desk.magnifier, (tint_painter(desk.documents), shutter_painter(desk.documents))),
        pointer_painter(desk.key_pointer),
    ]


def reference_line_painter(desk: Desk) -> Painter:
    """Paints the reference line of the active viewport, which leaves out text."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        source, picture = desk.layout.active.picture, canvas.state.picture
        if canvas.active or source is None or picture is None or not desk.links.reference_lines_visible:
            return
        if desk.layout.active is desk.mpr.oblique_viewport:
            return  # it has a line of its own
        ends = reference_line(source.ref, picture.ref)
        if ends:
            painter.setClipRegion(canvas.free)
            painter.setPen(QPen(QColor(theme.ON_IMAGE_ACCENT), 1.2))
            painter.drawLine(canvas.to_screen(ends[0]), canvas.to_screen(ends[1]))

    return paint


def key_image_painter(key_images: KeyImagesState) -> Painter:
    """Paints the marks of a key image, one a line, below the overlay text at the top; warnings in another color."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        marks = key_images.marks(canvas.state.study, picture.ref) if picture is not None else ()
        metrics = QFontMetricsF(painter.font())
        for row, mark in enumerate(marks):
            top = MARGIN + metrics.lineSpacing() * (TOP_LINES + 0.2 + row)
            text = metrics.elidedText(mark.text, Qt.TextElideMode.ElideRight, canvas.view.width - 2 * MARGIN)
            color = theme.ON_IMAGE_WARNING if mark.is_rejection else theme.ON_IMAGE_MARK
            row_rect = QRectF(0, top, canvas.view.width, metrics.lineSpacing())
            line = aligned_line(row_rect, Qt.AlignmentFlag.AlignHCenter, text, color, metrics)
            draw_text(painter, line)
            canvas.occupied.append(line.rect)

    return paint


def roi_painter(search: SearchState) -> Painter:
    """Paints the region that the hits answer, on the image that was searched with."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        answered, picture = search.answered, canvas.state.picture
        if answered is None or answered.roi is None or picture is None or picture.ref != answered.ref:
            return
        top, left, bottom, right = answered.roi
        painter.setPen(QPen(QColor(theme.ON_IMAGE_ACCENT), 1.2, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon([canvas.to_screen(p) for p in ((left, top), (right, top), (right, bottom), (left, bottom))])

    return paint


def rubber_band_painter(band: RubberBand) -> Painter:
    """Paints the rectangle that is being dragged for a zoom or a window."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        if band.viewport is canvas.state:
            painter.setPen(QPen(QColor(theme.ON_IMAGE_ACCENT), 1, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(QPointF(*band.start), QPointF(*band.end)).normalized())

    return paint
