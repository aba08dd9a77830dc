"""The sentences of a draft with the reports that word it alike. Shows a ReportState; judges nothing."""

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

from desktop import theme
from desktop.state.report.report import ReportState
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from engine.reports.draft import Sentence
from engine.reports.evidence import Evidence
from engine.reports.nearest_report import Contradiction

ROLE = Qt.ItemDataRole.UserRole
MARGIN = 8


def support(sentence: Sentence) -> tuple[str, str]:
    """The mark of a sentence and its colour."""
    count = len(sentence.evidence)
    if sentence.source is None:
        found = f"similar wording in {count} report{'' if count == 1 else 's'}" if count else "no similar wording found"
        return found, theme.current.green if count else theme.current.amber
    others = f"{count} other{'' if count == 1 else 's'} alike" if count else "no other alike"
    against = len(sentence.contradictions)
    if against:
        return f"from case {sentence.source}, {others}, {against} near report(s) say otherwise", theme.current.amber
    return f"from case {sentence.source}, {others}", theme.current.green if count else theme.current.amber


def confidence(sentence: Sentence) -> str:
    return "" if sentence.confidence is None else f"confidence {100 * sentence.confidence:.0f} %"


class EvidenceDelegate(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        item, tree = index.data(ROLE), self.parent()
        width = tree.viewport().width() if isinstance(tree, QTreeWidget) else 300
        line = QFontMetricsF(option.font).lineSpacing()
        lesser = QFontMetricsF(drawing.small(option.font)).lineSpacing()
        rows = len(drawing.wrapped(item.text, option.font, self._width(width, item), _most(item)))
        return QSize(100, int(rows * line + lesser + 16))

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
            mark, color, about = f"case {item.case_id} says otherwise", theme.current.amber, item.kind
        else:
            mark, color, about = f"case {item.case_id}", theme.current.green, f"similarity {item.similarity:.2f}"
        painter.setFont(option.font)
        painter.setPen(QColor(theme.current.text if isinstance(item, Sentence) else theme.current.muted))
        for words in drawing.wrapped(item.text, option.font, width, _most(item)):
            painter.drawText(QRectF(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, words)
            top += line
        painter.setFont(lesser)
        place = QRectF(left, top + 1, width, metrics.lineSpacing())
        painter.setPen(QColor(color))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, mark)
        place.setLeft(left + metrics.horizontalAdvance(mark) + 14)
        painter.setPen(QColor(theme.current.muted))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, about)
        painter.restore()

    def _width(self, full: int, item: Sentence | Evidence | Contradiction) -> float:
        return full - 2 * MARGIN - (0 if isinstance(item, Sentence) else 18)


def _most(item: Sentence | Evidence | Contradiction) -> int:
    """Lines of text: a sentence stands in full in the editor, evidence only here."""
    return 2 if isinstance(item, Sentence) else 6


class EvidenceTree(QTreeWidget):
    """Arrows walk the sentences and their evidence; the open one is the chosen one."""

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
        self.setAccessibleName("Sentences of the draft and reports with similar wording")
        self.currentItemChanged.connect(self._on_current)
        state.draft_changed.connect(self._fill)
        state.selection_changed.connect(self._follow)

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
            top.setToolTip(0, _tip(sentence))
            for found in sentence.evidence:
                child = QTreeWidgetItem([f"case {found.case_id}, similarity {found.similarity:.2f}: {found.text}"])
                child.setData(0, ROLE, found)
                child.setToolTip(0, "Similar wording says nothing about this patient")
                top.addChild(child)
            for other in sentence.contradictions:
                child = QTreeWidgetItem([f"case {other.case_id} says otherwise ({other.kind}): {other.text}"])
                child.setData(0, ROLE, other)
                child.setToolTip(0, "Another near report contradicts this sentence: look at the image")
                top.addChild(child)
            self.addTopLevelItem(top)
        self._filling = False
        self._follow()

    def _follow(self) -> None:
        page = self._state.page
        if page is None or not 0 <= page.sentence < self.topLevelItemCount():
            return
        chosen = self.topLevelItem(page.sentence)
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            if item is not None:
                item.setExpanded(item is chosen)
        if chosen is not None and self.currentItem() is not chosen and not _inside(self.currentItem(), chosen):
            self.setCurrentItem(chosen)
            self.scrollToItem(chosen, QTreeWidget.ScrollHint.PositionAtTop)

    def _on_current(self, item: QTreeWidgetItem | None, previous: QTreeWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._state.select(self.indexOfTopLevelItem(item.parent() or item))


def _inside(item: QTreeWidgetItem | None, top: QTreeWidgetItem) -> bool:
    return item is not None and item.parent() is top


def _tip(sentence: Sentence) -> str:
    if sentence.supported:
        return "Imported or signed reports have a sentence with similar wording"
    return "No imported or signed report words it alike: check this sentence with care"
