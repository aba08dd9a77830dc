"""The checks of the report, a line each: Enter or a click goes to the place, Space settles it. Decides nothing."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QWidget
from typing_extensions import override

from desktop import theme
from desktop.views.report.report_editor import kept
from engine.reports.checks.check import Check

ROLE = Qt.ItemDataRole.UserRole
MOST_LINES = 5
"""Of text that are shown at once, unless told otherwise."""
DOT = 8
SETTLED_BY = {"confirm": "Space: confirmed for this patient", "update": "Space: put the new value in"}


class CheckList(QListWidget):
    """Lines that wrap; as high as they are, up to a few lines."""

    chosen = Signal(object)
    """A Check whose place is to be shown."""
    settled = Signal(object)
    """A Check that is confirmed or to be updated."""

    def __init__(self, most_lines: int = MOST_LINES, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._width, self._most_lines = 0, most_lines
        self.setWordWrap(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIconSize(QSize(DOT, DOT))
        self.setAccessibleName("Checks before signing")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(ROLE)))

    def show_checks(self, checks: tuple[Check, ...]) -> None:
        """Show these, keeping the line that is selected."""
        row = self.currentRow()
        self.clear()
        for check in checks:
            item = QListWidgetItem(_dot(theme.current.red if check.blocks else theme.current.amber), check.message)
            item.setData(ROLE, check)
            hints = ("Enter: go to this place", SETTLED_BY.get(check.action, ""))
            item.setToolTip("\n".join(hint for hint in hints if hint))
            self.addItem(item)
        self.setCurrentRow(min(max(row, 0), self.count() - 1))
        self._fit()

    @override
    def event(self, event: QEvent) -> bool:
        """Keep plain keys from the tools of the images."""
        return kept(event) or super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(item.data(ROLE))
        elif item is not None and event.key() == Qt.Key.Key_Space:
            self.settled.emit(item.data(ROLE))
        else:
            super().keyPressEvent(event)

    @override
    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        if self.width() != self._width:  # lines wrap to the new width; the height follows
            self._width = self.width()
            self.scheduleDelayedItemsLayout()
            self._fit()

    def _fit(self) -> None:
        self.doItemsLayout()
        rows = sum(self.visualItemRect(self.item(row)).height() for row in range(self.count()))
        most = self._most_lines * (self.fontMetrics().lineSpacing() + 4)
        self.setFixedHeight(min(rows, most) + 2 * self.frameWidth() + 6)


def _dot(color: str) -> QIcon:
    picture = QPixmap(2 * DOT, 2 * DOT)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawEllipse(2, 2, 2 * DOT - 4, 2 * DOT - 4)
    painter.end()
    icon = QIcon(picture)
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon
