"""The hits as a list of slim rows: thumbnail, kind, facts, strength and text. Shows a SearchState; ranks nothing."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.search import SearchState
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.viewer.viewport import CASE
from engine.retrieval.hit import Hit
from engine.retrieval.strength import Strength

THUMBNAIL = 36
PAD = 2
"""Above and below the content of a row."""
BAR = 40
"""Width of the bar of strength."""
OUTDATED = 0.4
"""Opacity of hits that do not answer what the panel asks now."""


UNKNOWN = Strength(0.0, "")


def hit_facts(hit: Hit) -> str:
    """Modality, sex and age as far as known, and the case number."""
    return " · ".join(
        part
        for part in (hit.modality, hit.sex, f"{hit.age} y" if hit.age is not None else "", f"case {hit.case_id}")
        if part
    )


class HitModel(QAbstractListModel):
    """A row for each hit."""

    def __init__(self, state: SearchState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state = state
        state.hits_changed.connect(self._reload)
        state.thumbnail_changed.connect(self._refresh)

    def _reload(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _refresh(self, image_id: int) -> None:
        for row, hit in enumerate(self._state.hits):
            if hit.image_id == image_id:
                self.dataChanged.emit(self.index(row), self.index(row))

    @override
    def rowCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._state.hits)

    @override
    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    @override
    def mimeTypes(self) -> list[str]:
        return [CASE]

    @override
    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(CASE, str(self._state.hits[indexes[0].row()].case_id).encode())
        return data

    @override
    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self._state.hits[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            strengths = self._state.strengths
            word = strengths[index.row()].word.lower() if index.row() < len(strengths) else ""
            about = ", ".join(part for part in (hit.kind, hit_facts(hit), word) if part)
            return f"{about}, score {hit.score:.2f}. {hit.text}. {hit.why}"
        if role == Qt.ItemDataRole.ToolTipRole:
            cosine = f", cosine {hit.cosine:.3f}" if hit.cosine is not None else ""
            return f"Score {hit.score:.3f}{cosine}: {hit.why}"
        return None


class HitDelegate(QStyledItemDelegate):
    """Paints a hit: thumbnail, facts, strength and one line of text; a case without images is a single slim line."""

    def __init__(self, state: SearchState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state = state

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        line, hit = QFontMetricsF(option.font).lineSpacing(), self._state.hits[index.row()]
        content = line + 4 if hit.image_id is None else max(THUMBNAIL, 2 * line + 4)
        return QSize(200, int(content + 2 * PAD + self._caption_height(option, index.row())))

    def _caption_height(self, option: QStyleOptionViewItem, row: int) -> float:
        return QFontMetricsF(drawing.small(option.font)).lineSpacing() + 6 if self._state.caption(row) else 0.0

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        state, row = self._state, index.row()
        hit, strength = state.hits[row], state.strengths[row] if row < len(state.strengths) else UNKNOWN
        lesser = drawing.small(option.font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole, above = QRectF(option.rect), self._caption_height(option, row)
        if above:
            painter.setFont(lesser)
            painter.setPen(QColor(theme.current.muted))
            painter.drawText(
                QRectF(whole.left() + 8, whole.top(), whole.width(), above),
                Qt.AlignmentFlag.AlignVCenter,
                state.caption(row),
            )
        below = QStyleOptionViewItem(option)
        below.rect = whole.adjusted(0, above, 0, 0).toRect()
        drawing.background(painter, below)
        if state.outdated:
            painter.setOpacity(OUTDATED)
        area = whole.adjusted(6, above + PAD, -8, -PAD)
        if hit.image_id is None:
            self._paint_line(painter, area, hit, strength, option.font)
        else:
            square = QRectF(area.left(), area.center().y() - THUMBNAIL / 2, THUMBNAIL, THUMBNAIL)
            drawing.thumbnail(painter, square, state.thumbnail(hit))
            area.setLeft(square.right() + 8)
            self._paint_lines(painter, area, hit, strength, option.font)
        painter.restore()

    def _paint_line(self, painter: QPainter, area: QRectF, hit: Hit, strength: Strength, font: QFont) -> None:
        """A report alone: badge, text and strength on one line."""
        right = self._paint_strength(painter, area, strength, drawing.small(font))
        left = self._paint_badges(painter, area.left(), area.center().y(), hit, drawing.small(font))
        self._paint_text(painter, QRectF(left, area.top(), right - left - 8, area.height()), hit, font)

    def _paint_lines(self, painter: QPainter, area: QRectF, hit: Hit, strength: Strength, font: QFont) -> None:
        lesser = drawing.small(font)
        metrics = QFontMetricsF(lesser)
        head = QRectF(area.left(), area.top(), area.width(), area.height() / 2)
        right = self._paint_strength(painter, head, strength, lesser)
        left = self._paint_badges(painter, head.left(), head.center().y(), hit, lesser)
        painter.setFont(lesser)
        painter.setPen(QColor(theme.current.muted))
        facts = metrics.elidedText(hit_facts(hit), Qt.TextElideMode.ElideRight, right - left - 8)
        painter.drawText(QRectF(left, head.top(), right - left, head.height()), Qt.AlignmentFlag.AlignVCenter, facts)
        self._paint_text(painter, QRectF(area.left(), head.bottom(), area.width(), head.height()), hit, font)

    def _paint_badges(self, painter: QPainter, left: float, center: float, hit: Hit, font: QFont) -> float:
        """The kind of the match, and what the user said of it; returns where the next thing may begin."""
        height = QFontMetricsF(font).height() + 3
        color = theme.current.accent if hit.kind == "image" else theme.current.green
        right = drawing.badge(painter, left, center - height / 2, hit.kind.capitalize(), color, font)
        if hit.case_id in self._state.feedback.liked:
            right = drawing.badge(painter, right + 4, center - height / 2, "Relevant", theme.current.amber, font)
        return right + 6

    def _paint_strength(self, painter: QPainter, area: QRectF, strength: Strength, font: QFont) -> float:
        """A bar at the right with a word beside it; returns the left edge of both."""
        bar = QRectF(area.right() - BAR, area.center().y() - 2.5, BAR, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current.handle))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        painter.setBrush(QColor(theme.current.accent))
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), BAR * strength.fill, bar.height()), 2.5, 2.5)
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance("Moderate")
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text))
        word = QRectF(bar.left() - 6 - width, area.top(), width, area.height())
        painter.drawText(word, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, strength.word)
        return word.left()

    def _paint_text(self, painter: QPainter, area: QRectF, hit: Hit, font: QFont) -> None:
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text if hit.text else theme.current.muted))
        text = " ".join((hit.text or "No report").split())
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


class HitList(QListView):
    """The arrow keys select a hit, which is shown in full below the list.

    Enter, a double click or dragging to a viewport shows it beside the current image; then the page keys go through the
    images of its case, and Esc closes it.
    """

    def __init__(self, state: SearchState, comparison: ComparisonState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._comparison = state, comparison
        self.setDragEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.activated.connect(lambda _: comparison.start())
        self.setModel(HitModel(state, self))
        self.setItemDelegate(HitDelegate(state, self))
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Similar cases")
        self.selectionModel().currentChanged.connect(self._on_current)
        state.selection_changed.connect(self._follow)
        state.changed.connect(self.viewport().update)

    def _follow(self) -> None:
        hit = self._state.selected
        if hit is not None and hit in self._state.hits:
            self.setCurrentIndex(self.model().index(self._state.hits.index(hit), 0))

    def _on_current(self, index: QModelIndex) -> None:
        self._state.select(self._state.hits[index.row()] if index.isValid() else None)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        comparing, key = self._comparison.viewport is not None, Qt.Key(event.key())
        if comparing and key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            self._comparison.step(1 if key == Qt.Key.Key_PageDown else -1)
        elif comparing and key == Qt.Key.Key_Escape:
            self._comparison.close()
        else:
            super().keyPressEvent(event)
