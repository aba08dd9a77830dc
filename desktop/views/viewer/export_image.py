"""Renders the active viewport for export: file, clipboard or printer. De-identified unless patient data is requested.

Every exported image carries the research notice in its pixels. Without patient data it shows no patient, date or
institution, and no graphics of overlay planes, which may hold a name. Text burned into the pixels is not removed.
"""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtPrintSupport import QPrinter

from desktop import theme
from desktop.desk import Desk
from desktop.state.viewer.annotations import Annotations, annotate
from desktop.state.viewer.viewport import ViewportState
from desktop.views.painting.annotation_painter import annotation_painter
from desktop.views.painting.canvas import Painter, canvas_of
from desktop.views.painting.graphics_painters import scale_painter, shutter_painter
from desktop.views.painting.measure_painter import figure_painter
from desktop.views.painting.measure_text import measure_text_painter
from desktop.views.painting.overlay_planes import overlay_painter
from desktop.views.painting.overlay_text import MARGIN, TextLine, aligned_line, corner_lines, draw_text, edge_lines
from desktop.views.painting.painters import key_image_painter
from desktop.views.painting.tint_painter import tint_painter
from desktop.views.viewer.viewport import paint_picture
from engine.errors import UserError
from engine.image.marks import burned_in_mark

NOTICE = "Research image, not for clinical use"
CHECK = "The pixels may contain patient data; check before sharing."
CHECK_TEXT = "It shows the texts of annotations as you wrote them."


def render_viewport(desk: Desk, annotations: bool = True, patient_data: bool = False) -> QImage:
    """The active viewport in the pixels of its screen, whatever overlays it shows there.

    Args:
        annotations: draw overlay text, overlay planes, measurements, the scale bar and key image marks.
        patient_data: include patient, date and institution in the overlay text.

    Raises:
        UserError: the viewport shows no image.
    """
    state = desk.viewport
    if state.picture is None:
        raise UserError("No image to export; open a study first.")
    ratio = state.view.device_ratio
    image = QImage(round(state.view.width * ratio), round(state.view.height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    _paint(painter, desk, state, annotations, patient_data)
    painter.end()
    return image


def _paint(painter: QPainter, desk: Desk, state: ViewportState, annotations: bool, patient_data: bool) -> None:
    whole = QRectF(0, 0, state.view.width, state.view.height)
    painter.fillRect(whole, QColor(theme.VIEWER))
    area = whole.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    metrics = QFontMetricsF(painter.font())
    height = metrics.lineSpacing()
    painters: list[Painter] = [tint_painter(desk.documents)] if annotations else []
    painters.append(shutter_painter(desk.documents))
    lines: list[TextLine] = []
    if annotations:
        painters += [overlay_painter(), annotation_painter(desk.documents)]
        painters += [figure_painter(desk.measurements), scale_painter()]
        painters += [key_image_painter(desk.key_images), measure_text_painter(desk.measurements)]
        notes = annotate(state, mouse=False, patient_data=True) if patient_data else deidentified(state)
        above = area.adjusted(0, 0, 0, -height)
        lines = [*corner_lines(above, notes, metrics), *edge_lines(above, notes, metrics)]
    canvas = canvas_of(state, occupied=(line.rect for line in lines))
    if canvas is not None:
        paint_picture(painter, replace(canvas, overlay_text_visible=True, patient_data_visible=patient_data), painters)
    bottom = QRectF(area.left(), area.bottom() - height, area.width(), height)
    for line in (*lines, aligned_line(bottom, Qt.AlignmentFlag.AlignHCenter, NOTICE, theme.ON_IMAGE_MARK, metrics)):
        draw_text(painter, line)


def deidentified(state: ViewportState) -> Annotations:
    """The overlay text without patient, dates and free text."""
    series = state.series
    number = f"Series {series.number}" if series is not None and series.number is not None else ""
    kind = series.modality if series is not None else ""
    return replace(annotate(state, mouse=False), top_left=(), top_right=tuple(line for line in (kind, number) if line))


def warning(desk: Desk, patient_data: bool, annotations: bool = True) -> str:
    """A warning about what may name the patient in a de-identified image, in its pixels or written by the user.

    "" if none is needed.
    """
    state = desk.viewport
    if patient_data or state.picture is None or state.series is None:
        return ""
    burned_in = CHECK if burned_in_mark(state.picture.ref.image, state.series.modality) else ""
    written = CHECK_TEXT if annotations and any(item.text for item in desk.measurements.on(state)) else ""
    return " ".join(part for part in (burned_in, written) if part)


def save_png(image: QImage, path: Path) -> None:
    """Write a PNG file without metadata.

    Raises:
        UserError: the file cannot be written.
    """
    if not image.save(str(path), "PNG"):  # type: ignore[call-overload]
        raise UserError(f"Cannot write {path}; choose another folder.", path)


def print_image(image: QImage, printer: QPrinter) -> None:
    """Print one page with the image as large as fits, in its aspect ratio.

    Raises:
        UserError: the printer does not accept the job.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise UserError("The printer does not respond; choose another printer.")
    page = QRectF(painter.viewport())
    size = image.deviceIndependentSize().scaled(page.size(), Qt.AspectRatioMode.KeepAspectRatio)
    painter.drawImage(QRectF((page.width() - size.width()) / 2, 0, size.width(), size.height()), image)
    painter.end()
