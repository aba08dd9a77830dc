"""Sizes that follow the font and fit the screen. Knows no dialog."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

MOST = 0.92
"""Share of the screen that a dialog may take, with room for its title bar."""


def fit(widget: QWidget, letters: int, lines: int) -> None:
    """Resize a window to average letters across and lines of text down, or less where the screen is smaller."""
    metrics, room = widget.fontMetrics(), widget.screen().availableSize()
    wanted = QSize(letters * metrics.averageCharWidth(), lines * metrics.lineSpacing())
    widget.resize(wanted.boundedTo(QSize(int(MOST * room.width()), int(MOST * room.height()))))
