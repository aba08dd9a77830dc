"""Lays out and paints the overlay text, with a rim that keeps it readable on bright bone. Knows no state."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from desktop import theme
from desktop.state.viewer.annotations import Annotations

MARGIN = 12
RIM = QColor(0, 0, 0, 210)
_RIM_WIDTH = 3
_SHADE = QColor(0, 0, 0, 150)
_AROUND = ((-1.5, 0.0), (1.5, 0.0), (0.0, -1.5), (0.0, 1.5), (-1.1, -1.1), (-1.1, 1.1), (1.1, -1.1), (1.1, 1.1))
"""Offsets of the dark copies of a line that form its rim on screen."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text and the rectangle that it fills."""

    rect: QRectF
    text: str
    color: str


def aligned_line(rect: QRectF, side: Qt.AlignmentFlag, text: str, color: str, metrics: QFontMetricsF) -> TextLine:
    """A line at the left or right side of a rectangle, or centered in it (AlignHCenter)."""
    width = metrics.horizontalAdvance(text)
    left = rect.left()
    if side == Qt.AlignmentFlag.AlignRight:
        left = rect.right() - width
    elif side == Qt.AlignmentFlag.AlignHCenter:
        left = rect.center().x() - width / 2
    return TextLine(QRectF(left, rect.top(), width, rect.height()), text, color)


def draw_text(painter: QPainter, line: TextLine) -> None:
    """Paint a line with a dark rim, vertically centered in its rectangle."""
    metrics = QFontMetricsF(painter.font())
    left = line.rect.left()
    base = line.rect.center().y() + (metrics.ascent() - metrics.descent()) / 2
    if painter.transform().isScaling() or painter.transform().isRotating():  # a print or an exported image
        _draw(painter, left, base, line.text, line.color)
        return
    ratio = painter.device().devicePixelRatio()
    stamp = _stamp(line.text, painter.font().toString(), line.color, ratio)
    corner = QPointF(left - _RIM_WIDTH, base - metrics.ascent() - _RIM_WIDTH)
    painter.drawImage(QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio), stamp)


@lru_cache(maxsize=512)
def _stamp(text: str, font: str, color: str, ratio: float) -> QImage:
    """A line as a small image, cached because most lines stay the same during scrolling.

    Its rim is made of copies of the line: a stroke around each letter looks the same and takes seven times as long.
    """
    written = QFont()
    written.fromString(font)
    metrics = QFontMetricsF(written)
    width = metrics.horizontalAdvance(text) + 3 * _RIM_WIDTH
    height = metrics.height() + 2 * _RIM_WIDTH
    stamp = QImage(ceil(width * ratio), ceil(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    stamp.setDevicePixelRatio(ratio)
    stamp.fill(Qt.GlobalColor.transparent)
    painter = QPainter(stamp)
    painter.setFont(written)
    origin = QPointF(_RIM_WIDTH, _RIM_WIDTH + metrics.ascent())
    painter.setPen(_SHADE)
    for right, down in _AROUND:
        painter.drawText(origin + QPointF(right, down), text)
    painter.setPen(QColor(color))
    painter.drawText(origin, text)
    painter.end()
    return stamp


def _draw(painter: QPainter, left: float, base: float, text: str, color: str) -> None:
    path = QPainterPath()
    path.addText(left, base, painter.font(), text)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    rim = QPen(RIM, _RIM_WIDTH)
    rim.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, rim)
    painter.fillPath(path, QColor(color))


def corner_lines(area: QRectF, notes: Annotations, metrics: QFontMetricsF) -> list[TextLine]:
    """The lines of all four corners, elided at half the width plus what the opposite line leaves free.

    The first and the last line leave room for the orientation letter in the middle.
    """
    found = []
    half = area.width() / 2 - MARGIN
    most = max(1, int(area.height() * 0.42 / metrics.lineSpacing()))
    for lines, opposite, right, bottom in (
        (notes.top_left, notes.top_right, False, False),
        (notes.top_right, notes.top_left, True, False),
        (notes.bottom_left, notes.bottom_right, False, True),
        (notes.bottom_right, notes.bottom_left, True, True),
    ):
        opposite = tuple(reversed(opposite)) if bottom else opposite
        for row, line in enumerate(list(reversed(lines) if bottom else lines)[:most]):
            used = metrics.horizontalAdvance(opposite[row]) if row < len(opposite) else 0.0
            column = max(half, area.width() - used - 2 * MARGIN)
            if row == 0 and notes.edges is not None:
                letter = metrics.horizontalAdvance(notes.edges[3 if bottom else 1])
                column = min(column, (area.width() - letter - MARGIN) / 2)
            offset = row * metrics.lineSpacing()
            top = area.bottom() - metrics.lineSpacing() - offset if bottom else area.top() + offset
            rect = QRectF(area.right() - column if right else area.left(), top, column, metrics.lineSpacing())
            text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, column)
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            found.append(aligned_line(rect, side, text, theme.ON_IMAGE, metrics))
    return found


def edge_lines(area: QRectF, notes: Annotations, metrics: QFontMetricsF) -> list[TextLine]:
    """The orientation letters, each in the middle of its edge."""
    if notes.edges is None:
        return []
    left, top, right, bottom = notes.edges
    height = metrics.lineSpacing()
    center = area.center()
    middle = center.y() - height / 2
    letters = (
        (QRectF(area.left(), middle, 80, height), Qt.AlignmentFlag.AlignLeft, left),
        (QRectF(area.right() - 80, middle, 80, height), Qt.AlignmentFlag.AlignRight, right),
        (QRectF(center.x() - 40, area.top(), 80, height), Qt.AlignmentFlag.AlignHCenter, top),
        (QRectF(center.x() - 40, area.bottom() - height, 80, height), Qt.AlignmentFlag.AlignHCenter, bottom),
    )
    return [aligned_line(rect, side, text, theme.ON_IMAGE_MARK, metrics) for rect, side, text in letters if text]
