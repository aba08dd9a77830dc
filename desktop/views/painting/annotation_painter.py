"""Paints the texts and shapes of presentation states. Hidden with the overlay text and with patient data."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QTransform

from desktop import theme
from desktop.state.viewer.documents import DocumentsState
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.overlay_text import aligned_line, draw_text
from engine.dicom.documents.presentation_state import Annotation

DOT = 3.0
"""Radius of a point, in logical pixels."""


def annotation_painter(documents: DocumentsState) -> Painter:
    """Paints what presentation states write and draw on an image; texts may name the patient."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.overlay_text_visible or not canvas.patient_data_visible:
            return
        for one in documents.annotations(picture.ref):
            if one.shape:
                painter.setPen(QPen(QColor(theme.ON_IMAGE_MARK), 1.4))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPath(outline(one, canvas))
            elif one.points:
                _write(painter, canvas, one)

    return paint


def outline(annotation: Annotation, canvas: Canvas) -> QPainterPath:
    """A shape in screen coordinates; empty when its points do not make one."""
    path = QPainterPath()
    points = annotation.points
    if annotation.shape == "POINT":
        path.addEllipse(canvas.to_screen(points[0]), DOT, DOT)
    elif annotation.shape == "CIRCLE" and len(points) == 2:
        round_path = QPainterPath()
        radius = math.dist(*points)
        round_path.addEllipse(QPointF(*points[0]), radius, radius)
        path = canvas.transform.map(round_path)
    elif annotation.shape == "ELLIPSE" and len(points) == 4:
        (left, right, top, bottom), round_path = points, QPainterPath()
        round_path.addEllipse(QPointF(0, 0), math.dist(left, right) / 2, math.dist(top, bottom) / 2)
        turned = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
        center = QTransform.fromTranslate((left[0] + right[0]) / 2, (left[1] + right[1]) / 2).rotate(turned)
        path = canvas.transform.map(center.map(round_path))
    else:
        path.moveTo(canvas.to_screen(points[0]))
        for point in points[1:]:
            path.lineTo(canvas.to_screen(point))
    return path


def _write(painter: QPainter, canvas: Canvas, annotation: Annotation) -> None:
    """The lines of a text below its point."""
    metrics = QFontMetricsF(painter.font())
    corner = canvas.to_screen(annotation.points[0])
    for number, text in enumerate(annotation.text.splitlines()):
        row = QRectF(corner.x(), corner.y() + number * metrics.lineSpacing(), 1, metrics.lineSpacing())
        line = aligned_line(row, Qt.AlignmentFlag.AlignLeft, text, theme.ON_IMAGE_MARK, metrics)
        draw_text(painter, line)
        canvas.occupied.append(line.rect)
