"""Painting helpers and types that the item views share. Knows no state."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QTextLayout, QTextOption
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from desktop import theme
from desktop.state.pictures.picture import Image
from desktop.views.painting.images import to_qimage

ModelIndex = QModelIndex | QPersistentModelIndex
"""What Qt passes to the methods of models and delegates."""


def background(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """Background of a row: selected, under the mouse or plain, with a ring while it has the keyboard focus."""
    area = QRectF(option.rect).adjusted(1, 1, -1, -1)
    selected = bool(option.state & QStyle.StateFlag.State_Selected)
    hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
    if selected or hovered:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current.selected if selected else theme.current.raised))
        painter.drawRoundedRect(area, 4, 4)
    if option.state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QPen(QColor(theme.current.accent), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)


def thumbnail(painter: QPainter, area: QRectF, image: Image | None, empty: str = "") -> None:
    """An image fitted into a black square, or the text `empty` if there is none."""
    painter.fillRect(area, QColor(theme.VIEWER))
    if image is None:
        painter.setPen(QColor(theme.current.disabled if not empty else theme.ON_IMAGE_MUTED))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, empty)
        return
    source = to_qimage(image)
    scale = min(area.width() / source.width(), area.height() / source.height())
    width, height = source.width() * scale, source.height() * scale
    target = QRectF(area.center().x() - width / 2, area.center().y() - height / 2, width, height)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(target, source)


def badge(
    painter: QPainter, left: float, top: float, text: str, color: str, font: QFont, ground: str | None = None
) -> float:
    """A text in an outlined pill, filled with `ground` if given; returns the x of its right edge."""
    metrics = QFontMetricsF(font)
    area = QRectF(left, top, metrics.horizontalAdvance(text) + 12, metrics.height() + 3)
    painter.setFont(font)
    painter.setBrush(QColor(ground) if ground else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(color), 1))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), area.height() / 2, area.height() / 2)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter, text)
    return area.right()


def small(font: QFont, bold: bool = False) -> QFont:
    """A copy of a font at 88 % of its size."""
    smaller = QFont(font)
    smaller.setPointSizeF(font.pointSizeF() * 0.88)
    smaller.setBold(bold)
    return smaller


def wrapped(text: str, font: QFont, width: float, most: int) -> list[str]:
    """Wrap a text into at most `most` lines, the last one elided."""
    layout = QTextLayout(text.replace("\n", " "), font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    spans: list[tuple[int, int]] = []
    while len(spans) < most + 1:
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(max(20.0, width))
        spans.append((line.textStart(), line.textLength()))
    layout.endLayout()
    plain = layout.text()
    lines = [plain[start : start + length].strip() for start, length in spans[:most]]
    if len(spans) > most:
        rest = plain[spans[most - 1][0] :]
        lines[-1] = QFontMetricsF(font).elidedText(rest, Qt.TextElideMode.ElideRight, width)
    return lines
