"""The proposals and accepted sentences, each with evidence and contradictions. Shows a ReportState; decides nothing."""

from typing import Any

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFontMetricsF, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.state.report.report import ReportState
from desktop.state.report.report_page import Row
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.report.report_editor import kept
from engine.reports.agreement import Contradiction, Evidence
from engine.reports.document import Proposal
from engine.reports.draft import Sentence
from engine.text.words import counted

ROLE = Qt.ItemDataRole.UserRole
MARGIN = 8
BAR = 3
"""Width of the bar beside a sentence that says, with the word below it, what became of it."""
STATUS = {"open": "Proposed", "unchanged": "Accepted", "edited": "Edited"}
SHIFT = Qt.KeyboardModifier.ShiftModifier
PLAIN = Qt.KeyboardModifier.NoModifier


def status_color(row: Row) -> str:
    """Of the bar and the word for what became of a proposal."""
    return {"open": theme.current.accent, "unchanged": theme.current.green, "edited": theme.current.muted}[row.status]


Item = Row | Evidence | Contradiction


def support(proposal: Proposal) -> tuple[str, str]:
    """The evidence for a sentence in words, and their color; of one taken over by hand its source."""
    if proposal.taken_from:
        return f"Taken over from {proposal.origin}", theme.current.muted
    sentence = proposal.sentence
    count, against, source = len(sentence.evidence), len(sentence.contradictions), sentence.source
    parts = []
    if against:
        parts.append(
            "One similar report contradicts this" if against == 1 else f"{against} similar reports contradict this"
        )
    if source is not None:
        parts.append(f"From case {source}" if count else f"Only case {source} says this")
    if count or source is None:
        parts.append(f"{counted(count, 'report') if count else 'No report'} with the same finding")
    return " · ".join(parts), theme.current.green if count and not against else theme.current.amber


def confidence(sentence: Sentence) -> str:
    """The confidence of a sentence in words; "" when it has none."""
    return "" if sentence.confidence is None else f"confidence {100 * sentence.confidence:.0f} %"


class EvidenceDelegate(QStyledItemDelegate):
    """Paints a sentence, or a report below it, as wrapped text over one line about it."""

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        item, tree = index.data(ROLE), self.parent()
        width = tree.viewport().width() if isinstance(tree, QTreeWidget) else 300
        line = QFontMetricsF(option.font).lineSpacing()
        lesser = QFontMetricsF(drawing.small(option.font)).lineSpacing()
        rows = len(drawing.wrapped(_text(item), option.font, self._width(width, item), _max_lines(item)))
        return QSize(100, int(rows * line + lesser + 16))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        item = index.data(ROLE)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        drawing.background(painter, option)
        tree = self.parent()
        full = tree.viewport().width() if isinstance(tree, QTreeWidget) else option.rect.width()
        width = self._width(full, item)
        left, top = full - width - MARGIN, option.rect.top() + 6.0
        line = QFontMetricsF(option.font).lineSpacing()
        lesser = drawing.small(option.font)
        metrics = QFontMetricsF(lesser)
        status = ""
        if isinstance(item, Row):
            status = _status(item)
            mark, color = support(item.proposal)
            about = confidence(item.proposal.sentence)
            bar = QRectF(option.rect.left() + 2, option.rect.top() + 4, BAR, option.rect.height() - 8)
            painter.fillRect(bar, QColor(status_color(item)))
        elif isinstance(item, Contradiction):
            mark, color, about = f"Case {item.case_id} contradicts this", theme.current.amber, item.kind
        else:
            mark, color, about = f"Case {item.case_id}", theme.current.green, f"similarity {item.similarity:.2f}"
        painter.setFont(option.font)
        painter.setPen(QColor(theme.current.text if isinstance(item, Row) else theme.current.muted))
        for text in drawing.wrapped(_text(item), option.font, width, _max_lines(item)):
            painter.drawText(QRectF(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, text)
            top += line
        painter.setFont(lesser)
        row = QRectF(left, top + 1, width, metrics.lineSpacing())
        if isinstance(item, Row):
            painter.setPen(QColor(status_color(item)))
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, status)
            row.setLeft(left + metrics.horizontalAdvance(status) + 14)
            width = row.width()
            left = row.left()
        painter.setPen(QColor(color))
        mark = metrics.elidedText(mark, Qt.TextElideMode.ElideRight, width - metrics.horizontalAdvance(about) - 14)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, mark)
        row.setLeft(left + metrics.horizontalAdvance(mark) + 14)
        painter.setPen(QColor(theme.current.muted))
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, about)
        painter.restore()

    def _width(self, full: int, item: Item) -> float:
        return full - 2 * MARGIN - (4 if isinstance(item, Row) else 18)


def _status(row: Row) -> str:
    return "Unchanged" if row.proposal.taken_from and row.status == "unchanged" else STATUS[row.status]


def _text(item: Item) -> str:
    return item.proposal.sentence.text if isinstance(item, Row) else item.text


def _max_lines(item: Item) -> int:
    """The most lines of text: a proposal must be read in full, but the editor shows an accepted one."""
    if isinstance(item, Row):
        return 100 if item.status == "open" else 2
    return 6


class EvidenceTree(QTreeWidget):
    """The arrow keys move through sentences and evidence; only the selected sentence is expanded.

    While that would push unread proposals off screen, it is expanded only once the list has the keyboard.

    A or Return accepts the selected proposal, E edits it, D or Delete dismisses it; with Shift all of them, once they
    were scrolled through. Ctrl+Z undoes. Return or a double click on a report below a sentence opens its case.
    """

    case_opened = Signal(int)
    """Show the case of this number."""

    def __init__(self, state: ReportState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._filling = False
        self.setHeaderHidden(True)
        self.setIndentation(0)
        self.setMouseTracking(True)
        self.setItemDelegate(EvidenceDelegate(self))
        self.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Proposed and accepted sentences, and reports with the same finding")
        self.currentItemChanged.connect(self._on_current)
        self.verticalScrollBar().valueChanged.connect(self._look)
        self.itemDoubleClicked.connect(self._open_case)
        state.draft_changed.connect(self._fill)
        state.selection_changed.connect(self._follow)

    @override
    def event(self, event: QEvent) -> bool:
        """Keep plain keys from the tools of the images, and Ctrl+Z from their measurements."""
        return kept(event) or super().event(event)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        state = self._state
        if event.matches(QKeySequence.StandardKey.Undo):
            state.undo()
            return
        if event.matches(QKeySequence.StandardKey.Redo):
            state.redo()
            return
        key, modifiers = Qt.Key(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._open_case(self.currentItem()):
            return
        action = {
            (Qt.Key.Key_A, PLAIN): state.accept,
            (Qt.Key.Key_Return, PLAIN): state.accept,
            (Qt.Key.Key_Enter, PLAIN): state.accept,
            (Qt.Key.Key_E, PLAIN): state.edit_selected,
            (Qt.Key.Key_F2, PLAIN): state.edit_selected,
            (Qt.Key.Key_D, PLAIN): state.dismiss,
            (Qt.Key.Key_Delete, PLAIN): state.dismiss,
            (Qt.Key.Key_Backspace, PLAIN): state.dismiss,
            (Qt.Key.Key_A, SHIFT): state.accept_all,
            (Qt.Key.Key_D, SHIFT): state.dismiss_all,
        }.get((key, modifiers))
        if action is not None:
            if not event.isAutoRepeat():  # a key that is held decides on one proposal, not on all of them unread
                action()
        elif event.text().isprintable() and event.text():
            event.accept()  # no search by letters: another key must not move the selection
        else:
            super().keyPressEvent(event)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._look()

    def _look(self) -> None:
        """Tell which proposals are on screen to their last line."""
        bottom = self.viewport().rect().bottom()
        seen = []
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            if item is not None and 0 <= self.visualItemRect(item).bottom() <= bottom + 1:
                seen.append(item.data(0, ROLE).number)
        if seen and self.isVisible():
            self._state.saw(seen)

    @override
    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()  # rows wrap to the new width
        self._follow()

    @override
    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._follow()

    def _fill(self) -> None:
        self._filling = True
        self.clear()
        for row in self._state.rows:
            sentence = row.proposal.sentence
            about = ", ".join(part for part in (_status(row), confidence(sentence), support(row.proposal)[0]) if part)
            top = QTreeWidgetItem([f"{sentence.text}: {about}"])
            top.setData(0, ROLE, row)
            top.setToolTip(0, _tooltip(sentence))
            for found in sentence.evidence:
                child = QTreeWidgetItem([f"Case {found.case_id} has the same finding: {found.text}"])
                child.setData(0, ROLE, found)
                child.setToolTip(0, "Another patient with the same finding; it proves nothing about this one")
                top.addChild(child)
            for other in sentence.contradictions:
                child = QTreeWidgetItem([f"Case {other.case_id} contradicts this ({other.kind}): {other.text}"])
                child.setData(0, ROLE, other)
                child.setToolTip(0, "A similar case reports the opposite: check the image")
                top.addChild(child)
            self.addTopLevelItem(top)
        self._filling = False
        self._follow()

    def _follow(self) -> None:
        page, selected = self._state.page, None
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            if item is not None:
                chosen = page is not None and item.data(0, ROLE).number == page.selected
                item.setExpanded(chosen and self._unfolds(item))
                selected = item if chosen else selected
        if selected is not None and self.currentItem() is not selected and not _inside(self.currentItem(), selected):
            self.setCurrentItem(selected)
            self.scrollToItem(selected, QTreeWidget.ScrollHint.PositionAtTop)

    def _unfolds(self, item: QTreeWidgetItem) -> bool:
        """Whether to list the reports below a sentence: not where they would push proposals off screen unread."""
        page = self._state.page
        if page is None or page.all_seen or self.hasFocus():
            return True
        rows = [self.topLevelItem(number) for number in range(self.topLevelItemCount())]
        rows += [item.child(number) for number in range(item.childCount())]
        heights = (self.sizeHintForIndex(self.indexFromItem(row)).height() for row in rows if row is not None)
        return sum(heights) <= self.viewport().height()

    def _on_current(self, item: QTreeWidgetItem | None, previous: QTreeWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._state.select((item.parent() or item).data(0, ROLE).number)

    def _open_case(self, item: QTreeWidgetItem | None, column: int = 0) -> bool:
        """Open the case of a report below a sentence; False for a sentence."""
        about = item.data(0, ROLE) if item is not None else None
        if not isinstance(about, Evidence | Contradiction):
            return False
        self.case_opened.emit(about.case_id)
        return True


def _inside(item: QTreeWidgetItem | None, top: QTreeWidgetItem) -> bool:
    return item is not None and item.parent() is top


def _tooltip(sentence: Sentence) -> str:
    if sentence.supported:
        return "Reports of similar cases have the same finding"
    return "No report of a similar case has this finding: check this sentence carefully"
