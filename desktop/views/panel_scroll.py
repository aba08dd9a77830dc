"""Lets a panel scroll in a window that is too low for it. Knows no panel."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget
from typing_extensions import override

LEAST = 6
"""Lines of text that stay visible of a panel."""


class ScrolledPanel(QWidget):
    """A panel that shrinks to the least that its parts need: Qt would let it scroll below the height that they like."""

    @override
    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return -1 if layout is None else layout.totalMinimumHeightForWidth(width)


class PanelScroll(QScrollArea):
    """As narrow as its panel can be; lower than it, it scrolls and does not push the window off the screen."""

    def __init__(self, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(panel)

    @override
    def minimumSizeHint(self) -> QSize:
        panel, bar = self.widget(), self.verticalScrollBar()
        width = panel.minimumSizeHint().width() if panel else 0
        return QSize(
            width + (bar.sizeHint().width() if bar.isVisible() else 0), LEAST * self.fontMetrics().lineSpacing()
        )

    @override
    def sizeHint(self) -> QSize:
        panel = self.widget()
        return panel.sizeHint() if panel else super().sizeHint()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()  # rows of the panel were shown or hidden
        return super().eventFilter(watched, event)
