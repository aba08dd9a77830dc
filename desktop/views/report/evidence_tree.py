"""The sentences of a draft, each with its evidence and contradictions. Shows a ReportState; decides nothing."""

from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
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
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from engine.reports.agreement import Contradiction, Evidence
from engine.reports.draft import Sentence
from engine.text.words import counted

ROLE = Qt.ItemDataRole.UserRole
MARGIN = 8


def support(sentence: Sentence) -> tuple[str, str]:
    """The evidence for a sentence in words, and their color."""
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
        rows = len(drawing.wrapped(item.text, option.font, self._width(width, item), _max_lines(item)))
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
        if isinstance(item, Sentence):
            mark, color = support(item)
            about = confidence(item)
        elif isinstance(item, Contradiction):
            mark, color, about = f"Case {item.case_id} contradicts this", theme.current.amber, item.kind
        else:
            mark, color, about = f"Case {item.case_id}", theme.current.green, f"similarity {item.similarity:.2f}"
        painter.setFont(option.font)
        painter.setPen(QColor(theme.current.text if isinstance(item, Sentence) else theme.current.muted))
        for text in drawing.wrapped(item.text, option.font, width, _max_lines(item)):
            painter.drawText(QRectF(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, text)
            top += line
        painter.setFont(lesser)
        row = QRectF(left, top + 1, width, metrics.lineSpacing())
        painter.setPen(QColor(color))
        mark = metrics.elidedText(mark, Qt.TextElideMode.ElideRight, width - metrics.horizontalAdvance(about) - 14)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, mark)
        row.setLeft(left + metrics.horizontalAdvance(mark) + 14)
        painter.setPen(QColor(theme.current.muted))
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, about)
        painter.restore()

    def _width(self, full: int, item: Sentence | Evidence | Contradiction) -> float:
        return full - 2 * MARGIN - (0 if isinstance(item, Sentence) else 18)


def _max_lines(item: Sentence | Evidence | Contradiction) -> int:
    """The most lines of text: the editor shows a sentence in full, but evidence is shown only here."""
    return 2 if isinstance(item, Sentence) else 6


class EvidenceTree(QTreeWidget):
    """The arrow keys move through sentences and evidence; only the selected sentence is expanded."""

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
        self.setAccessibleName("Sentences of the draft and reports with the same finding")
        self.currentItemChanged.connect(self._on_current)
        state.draft_changed.connect(self._fill)
        state.selection_changed.connect(self._follow)

    @override
    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()  # rows wrap to the new width

    def _fill(self) -> None:
        self._filling = True
        self.clear()
        for sentence in self._state.sentences:
            about = ", ".join(part for part in (confidence(sentence), support(sentence)[0]) if part)
            top = QTreeWidgetItem([f"{sentence.text}: {about}"])
            top.setData(0, ROLE, sentence)
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
        page = self._state.page
        if page is None or not 0 <= page.sentence < self.topLevelItemCount():
            return
        selected = self.topLevelItem(page.sentence)
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            if item is not None:
                item.setExpanded(item is selected)
        if selected is not None and self.currentItem() is not selected and not _inside(self.currentItem(), selected):
            self.setCurrentItem(selected)
            self.scrollToItem(selected, QTreeWidget.ScrollHint.PositionAtTop)

    def _on_current(self, item: QTreeWidgetItem | None, previous: QTreeWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._state.select(self.indexOfTopLevelItem(item.parent() or item))


def _inside(item: QTreeWidgetItem | None, top: QTreeWidgetItem) -> bool:
    return item is not None and item.parent() is top


def _tooltip(sentence: Sentence) -> str:
    if sentence.supported:
        return "Reports of similar cases have the same finding"
    return "No report of a similar case has this finding: check this sentence carefully"
