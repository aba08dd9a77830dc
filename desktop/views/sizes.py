"""Sizes that follow the font and fit the screen. Knows no dialog."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

MOST = 0.92
"""Share of the screen that a dialog may take, with room for its title bar."""


def fit(widget: QWidget, letters: int, lines: int) -> None:
    """Resize a window to average letters across and lines of text down, or less where the screen is smaller."""
    metrics = widget.fontMetrics()
    fit_pixels(widget, letters * metrics.averageCharWidth(), lines * metrics.lineSpacing())


def fit_pixels(widget: QWidget, width: int, height: int) -> None:
    """Resize a window to logical pixels, or less where the screen is smaller."""
    room = widget.screen().availableSize()
    widget.resize(QSize(width, height).boundedTo(QSize(int(MOST * room.width()), int(MOST * room.height()))))
