"""Reads what is dragged from files and folders, and marks where it can be dropped. Does not know what becomes of it."""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from desktop import theme

FILES = "Drop to open"
WHAT = "Files, folders and ZIP files open as studies, an archive folder as the archive."
BORDER = 3.0
"""Logical pixels, width of the frame."""


def accept_files(event: QDragEnterEvent) -> bool:
    """Accept a drag that holds at least one local file or folder; returns whether it does."""
    if any(url.isLocalFile() for url in event.mimeData().urls()):
        event.acceptProposedAction()
        return True
    return False


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Accept the drop and return its local files and folders."""
    event.acceptProposedAction()
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]


class DropTarget(QWidget):
    """Covers its parent with a tint, a frame and a text while something is dragged over it. Takes no mouse events."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._text = self._below = ""
        self.hide()

    def show_over(self, text: str, below: str = "") -> None:
        """Show it in front of everything in its parent."""
        self._text, self._below = text, below
        self.setAccessibleName(text)
        self.setGeometry(self._parent.rect())
        self.raise_()
        self.show()

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tint, area = QColor(theme.current.selected), QRectF(self.rect())
        tint.setAlpha(110)
        painter.fillRect(area, tint)
        painter.setPen(QPen(QColor(theme.current.accent), BORDER, Qt.PenStyle.DashLine))
        painter.drawRect(area.adjusted(BORDER, BORDER, -BORDER, -BORDER))
        large = QFont(self.font())
        large.setPointSizeF(1.3 * large.pointSizeF())
        lines = [(self._text, large), *([(self._below, self.font())] if self._below else [])]
        sizes = [QFontMetricsF(font) for _, font in lines]
        width = max(metrics.horizontalAdvance(text) for (text, _), metrics in zip(lines, sizes, strict=True)) + 40
        height = sum(metrics.lineSpacing() for metrics in sizes) + 24
        box = QRectF(0, 0, min(width, area.width() - 4 * BORDER), height)
        box.moveCenter(area.center())
        painter.setPen(QPen(QColor(theme.current.border), 1))
        painter.setBrush(QColor(theme.current.raised))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(theme.current.text))
        top = box.top() + 12
        for (text, font), metrics in zip(lines, sizes, strict=True):
            painter.setFont(font)
            row = QRectF(box.left() + 8, top, box.width() - 16, metrics.lineSpacing())
            elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, row.width())
            painter.drawText(row, Qt.AlignmentFlag.AlignCenter, elided)
            top += metrics.lineSpacing()
