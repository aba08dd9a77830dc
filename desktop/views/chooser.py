"""A dialog to choose from a list by typing, such as the command palette. Does not know what the choices do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.sizes import fit_pixels

WIDTH, LINES = 84, 14
"""Size of the dialog: average characters across, rows down."""
GAP = 10
TEXT_SHARE = 0.6
"""Least share of a row that the text gets when text and context together are too long for it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of the list."""

    text: str
    run: Callable[[], object]
    context: str = ""
    """Muted text after the text, such as the menu of a command."""
    keys: str = ""
    """Shortcuts, at the right edge."""
    enabled: bool = True
    words: str = ""
    """Other words that find it; never shown."""


def rank(choice: Choice, typed: str) -> int | None:
    """How far a choice is from what was typed, 0 for the nearest; None unless each typed word starts one of its words.

    A whole word is nearer than the start of one, the text nearer than other words, and these nearer than context and
    keys. Case does not matter.
    """
    sources = [_words(text) for text in (choice.text, choice.words, f"{choice.context} {choice.keys}")]
    total = 0
    for part in _words(typed):
        places = (
            2 * number + (part not in words)
            for number, words in enumerate(sources)
            if any(word.startswith(part) for word in words)
        )
        nearest = next(places, None)
        if nearest is None:
            return None
        total += nearest
    return total + (not " ".join(sources[0]).startswith(" ".join(_words(typed))))


def _words(text: str) -> list[str]:
    return text.casefold().replace("…", "").replace(", ", " ").split()


class Chooser(QDialog):
    """Typing filters the list, arrow keys move, Enter chooses, Esc closes."""

    def __init__(self, title: str, noun: str, choices: Sequence[Choice], parent: QWidget, note: str = "") -> None:
        """A dialog with this title.

        Args:
            title: of the window.
            noun: names the choices in the text field, as in "Search commands".
            choices: the rows.
            parent: the window below.
            note: a sentence below the list.
        """
        super().__init__(parent)
        self._choices = list(choices)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText(f"Search {noun}")
        self.typed.setClearButtonEnabled(True)
        self.typed.setAccessibleName(f"Search {noun}")
        self.list = QListWidget()
        self.list.setAccessibleName(title)
        self.list.setItemDelegate(_ChoiceDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.typed)
        layout.addWidget(self.list)
        if note:
            below = QLabel(note)
            below.setWordWrap(True)
            below.setProperty("muted", True)
            layout.addWidget(below)
        metrics = self.fontMetrics()
        fit_pixels(self, WIDTH * metrics.averageCharWidth() + 40, (LINES + 3) * (metrics.lineSpacing() + 10))
        self.typed.textChanged.connect(self._fill)
        self.typed.returnPressed.connect(self._run)
        self.typed.installEventFilter(self)
        self.list.itemActivated.connect(lambda item: self._run())
        self.list.itemClicked.connect(lambda item: self._run())
        self._fill("")

    def shown(self) -> list[Choice]:
        """The choices that match what was typed."""
        return [self.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.list.count())]

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow and page keys move in the list while the text field keeps the focus."""
        if watched is self.typed and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: LINES, Qt.Key.Key_PageUp: -LINES}
            step = steps.get(Qt.Key(event.key()), 0)
            if step and self.list.count():
                self.list.setCurrentRow(min(self.list.count() - 1, max(0, self.list.currentRow() + step)))
                return True
        return super().eventFilter(watched, event)

    def _fill(self, typed: str) -> None:
        self.list.clear()
        ranked = [(rank(choice, typed), choice) for choice in self._choices]
        found = [(far, choice) for far, choice in ranked if far is not None]
        for _, choice in sorted(found, key=lambda one: one[0]):
            item = QListWidgetItem(choice.text)
            item.setData(Qt.ItemDataRole.UserRole, choice)
            words = (choice.text, choice.context, choice.keys, "" if choice.enabled else "unavailable")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(word for word in words if word))
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _run(self) -> None:
        item = self.list.currentItem()
        choice = item.data(Qt.ItemDataRole.UserRole) if item else None
        if choice is not None and choice.enabled:
            self.close()
            choice.run()


def fitted(choice: Choice, width: float, metrics: QFontMetricsF) -> tuple[str, str]:
    """Text and context of a choice, elided to fit a row; a long text leaves part of the row to the context."""
    after = metrics.horizontalAdvance(choice.context) + GAP if choice.context else 0.0
    text = metrics.elidedText(choice.text, Qt.TextElideMode.ElideRight, max(TEXT_SHARE * width, width - after))
    left = width - metrics.horizontalAdvance(text) - GAP
    return text, metrics.elidedText(choice.context, Qt.TextElideMode.ElideRight, left) if left > 2 * GAP else ""


class _ChoiceDelegate(QStyledItemDelegate):
    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        return QSize(100, int(QFontMetricsF(option.font).lineSpacing() + 10))

    @override
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
        text, context = fitted(choice, area.width() - metrics.horizontalAdvance(choice.keys) - 16, metrics)
        after = area.adjusted(metrics.horizontalAdvance(text) + GAP, 0, 0, 0)
        painter.drawText(after, middle | Qt.AlignmentFlag.AlignLeft, context)
        painter.setPen(QColor(theme.current.text if choice.enabled else theme.current.disabled))
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()
