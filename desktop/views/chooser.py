"""A list to choose from by typing: the palette of commands, the key images. Knows not what the choices do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.views import drawing
from desktop.views.drawing import ModelIndex

WIDTH, LINES = 84, 14
"""Letters across, rows in sight."""
GAP = 10
MOST_OF_ROW = 0.6
"""Of a row for the text when there is more to say than the row holds."""


@dataclass(frozen=True, slots=True)
class Choice:
    text: str
    run: Callable[[], object]
    where: str = ""
    """Faint words after the text."""
    keys: str = ""
    """At the right edge."""
    enabled: bool = True


def matches(choice: Choice, typed: str) -> bool:
    """Every typed word begins a word of the text, of where it is, or a key; upper and lower case are the same."""
    words = f"{choice.text} {choice.where} {choice.keys}".casefold().replace("…", "").replace(", ", " ").split()
    return all(any(word.startswith(part) for word in words) for part in typed.casefold().split())


class Chooser(QDialog):
    """Type to narrow the list, arrows to move, Enter to choose, Esc to leave."""

    def __init__(self, title: str, choices: Sequence[Choice], parent: QWidget) -> None:
        super().__init__(parent)
        self._choices = list(choices)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText(f"Search {title[:1].lower()}{title[1:]}")
        self.typed.setClearButtonEnabled(True)
        self.typed.setAccessibleName(f"Search: {title}")
        self.list = QListWidget()
        self.list.setAccessibleName(title)
        self.list.setItemDelegate(_ChoiceDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.typed)
        layout.addWidget(self.list)
        metrics = self.fontMetrics()
        self.resize(WIDTH * metrics.averageCharWidth() + 40, (LINES + 3) * (metrics.lineSpacing() + 10))
        self.typed.textChanged.connect(self._fill)
        self.typed.returnPressed.connect(self._run)
        self.typed.installEventFilter(self)
        self.list.itemActivated.connect(lambda item: self._run())
        self.list.itemClicked.connect(lambda item: self._run())
        self._fill("")

    def shown(self) -> list[Choice]:
        """What the list holds now."""
        return [self.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and down move in the list while the words keep the keyboard."""
        if watched is self.typed and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: LINES, Qt.Key.Key_PageUp: -LINES}
            step = steps.get(Qt.Key(event.key()), 0)
            if step and self.list.count():
                self.list.setCurrentRow(min(self.list.count() - 1, max(0, self.list.currentRow() + step)))
                return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.list.clear()
        for choice in self._choices:
            if matches(choice, typed):
                item = QListWidgetItem(choice.text)
                item.setData(Qt.ItemDataRole.UserRole, choice)
                words = (choice.text, choice.where, choice.keys, "" if choice.enabled else "not available now")
                item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(word for word in words if word))
                self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        item = self.list.currentItem()
        choice = item.data(Qt.ItemDataRole.UserRole) if item else None
        if choice is not None and choice.enabled:
            self.close()
            choice.run()


def fitted(choice: Choice, room: float, metrics: QFontMetricsF) -> tuple[str, str]:
    """Text and where of a choice, cut to what a row has room for; a long text leaves room to say where it is."""
    after = metrics.horizontalAdvance(choice.where) + GAP if choice.where else 0.0
    text = metrics.elidedText(choice.text, Qt.TextElideMode.ElideRight, max(MOST_OF_ROW * room, room - after))
    left = room - metrics.horizontalAdvance(text) - GAP
    return text, metrics.elidedText(choice.where, Qt.TextElideMode.ElideRight, left) if left > 2 * GAP else ""


class _ChoiceDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(100, int(QFontMetricsF(option.font).lineSpacing() + 10))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        choice: Choice = index.data(Qt.ItemDataRole.UserRole)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        drawing.background(painter, option)
        area = QRectF(option.rect).adjusted(10, 0, -10, 0)
        metrics = QFontMetricsF(option.font)
        painter.setFont(option.font)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(theme.current.muted if choice.enabled else theme.current.disabled))
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, choice.keys)
        text, where = fitted(choice, area.width() - metrics.horizontalAdvance(choice.keys) - 16, metrics)
        after = area.adjusted(metrics.horizontalAdvance(text) + GAP, 0, 0, 0)
        painter.drawText(after, middle | Qt.AlignmentFlag.AlignLeft, where)
        painter.setPen(QColor(theme.current.text if choice.enabled else theme.current.disabled))
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()
