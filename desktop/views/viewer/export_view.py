"""The view of one viewport as a picture to give away: file, clipboard, paper. De-identified unless asked otherwise.

Every such picture carries the research notice in its pixels. Without identity it names neither patient nor date nor
place, and leaves out the graphics of overlay planes, which may hold a name; text burned into the pixels stays.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtPrintSupport import QPrinter

from desktop import theme
from desktop.desk import Desk
from desktop.state.viewer.annotations import Annotations, annotate
from desktop.state.viewer.viewport import ViewportState
from desktop.views.painting.canvas import Painter, canvas_of
from desktop.views.painting.graphics_painters import scale_painter, shutter_painter
from desktop.views.painting.measure_painter import figure_painter
from desktop.views.painting.measure_text import measure_text_painter
from desktop.views.painting.overlay_planes import overlay_painter
from desktop.views.painting.overlay_text import MARGIN, Line, corner_lines, edge_lines, line_in, write
from desktop.views.painting.painters import key_painter
from desktop.views.viewer.viewport import paint_picture
from engine.errors import UserError
from engine.image.marks import burned_in_mark

NOTICE = "Research picture, not for clinical use"
CHECK = "Its pixels may show the patient's name: look before you share it."


def view_image(desk: Desk, annotations: bool = True, identity: bool = False) -> QImage:
    """What the active viewport shows, at the pixels of the screen.

    Raises:
        UserError: there is no picture.
    """
    state = desk.viewport
    if state.picture is None:
        raise UserError("There is no image to export; open one first.")
    ratio = state.view.device_ratio
    image = QImage(round(state.view.width * ratio), round(state.view.height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    painter = QPainter(image)
    _paint(painter, desk, state, annotations, identity)
    painter.end()
    return image


def _paint(painter: QPainter, desk: Desk, state: ViewportState, annotations: bool, identity: bool) -> None:
    everything = QRectF(0, 0, state.view.width, state.view.height)
    painter.fillRect(everything, QColor(theme.VIEWER))
    area = everything.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    metrics = QFontMetricsF(painter.font())
    height = metrics.lineSpacing()
    painters: list[Painter] = [shutter_painter()]
    lines: list[Line] = []
    if annotations:
        painters += [overlay_painter(), figure_painter(desk.measurements), scale_painter()]
        painters += [key_painter(desk.key_images), measure_text_painter(desk.measurements)]
        notes = annotate(state, mouse=False, patient_data=True) if identity else without_identity(state)
        above = area.adjusted(0, 0, 0, -height)
        lines = [*corner_lines(above, notes, metrics), *edge_lines(above, notes, metrics)]
    canvas = canvas_of(state, taken=(line.place for line in lines))
    if canvas is not None:  # what was asked for, whatever the screen shows now
        paint_picture(painter, replace(canvas, texts=True, identity=identity), painters)
    place = QRectF(area.left(), area.bottom() - height, area.width(), height)
    for line in (*lines, line_in(place, Qt.AlignmentFlag.AlignHCenter, NOTICE, theme.ON_IMAGE_MARK, metrics)):
        write(painter, line)


def without_identity(state: ViewportState) -> Annotations:
    """The corner texts without patient, date and free text."""
    series = state.series
    number = f"Series {series.number}" if series is not None and series.number is not None else ""
    kind = series.modality if series is not None else ""
    return replace(annotate(state, mouse=False), top_left=(), top_right=tuple(line for line in (kind, number) if line))


def warning(desk: Desk, identity: bool) -> str:
    """What to look at before such a picture is shared; "" when there is nothing."""
    state = desk.viewport
    if identity or state.picture is None or state.series is None:
        return ""
    return CHECK if burned_in_mark(state.picture.ref.image, state.series.modality) else ""


def save_png(image: QImage, path: Path) -> None:
    """Write a PNG that holds nothing but its pixels.

    Raises:
        UserError: the file cannot be written.
    """
    if not image.save(str(path), "PNG"):  # type: ignore[call-overload]
        raise UserError(f"{path} cannot be written; choose another folder.", path)


def print_image(image: QImage, printer: QPrinter) -> None:
    """One page with the picture as large as it fits, its shape kept.

    Raises:
        UserError: the printer takes nothing.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise UserError("The printer does not answer; choose another one.")
    page = QRectF(painter.viewport())
    size = image.deviceIndependentSize().scaled(page.size(), Qt.AspectRatioMode.KeepAspectRatio)
    painter.drawImage(QRectF((page.width() - size.width()) / 2, 0, size.width(), size.height()), image)
    painter.end()


def words(parts: Sequence[str]) -> str:
    """Sentences that are there, as one text."""
    return " ".join(part for part in parts if part)
