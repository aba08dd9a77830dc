"""The hits as a list: thumbnail, kind, score, text and reason. Shows a SearchState; ranks nothing."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.search import SearchState
from desktop.state.similar.selected_case import REPORT_ONLY
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.viewer.viewport import CASE
from engine.retrieval.hit import Hit

THUMBNAIL = 72
TEXT_LINES = 2


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
            return f"{hit.kind}, {hit_facts(hit)}, score {hit.score:.2f}. {hit.text}. {hit.why}"
        if role == Qt.ItemDataRole.ToolTipRole:
            cosine = f", cosine {hit.cosine:.3f}" if hit.cosine is not None else ""
            return f"Score {hit.score:.3f}{cosine}: {hit.why}"
        return None


class HitDelegate(QStyledItemDelegate):
    """Paints a hit: thumbnail on the left, then facts and score, the text, and why it matched."""

    def __init__(self, state: SearchState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state = state

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        line = QFontMetricsF(option.font).lineSpacing()
        lesser = QFontMetricsF(drawing.small(option.font)).lineSpacing()
        return QSize(200, int(max(THUMBNAIL, 5 + TEXT_LINES * line + 2 * lesser + 8) + 14))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        hit = self._state.hits[index.row()]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        drawing.background(painter, option)
        area = QRectF(option.rect).adjusted(8, 7, -10, -7)
        square = QRectF(area.left(), area.top(), THUMBNAIL, THUMBNAIL)
        lesser, line = drawing.small(option.font), QFontMetricsF(option.font).lineSpacing()
        painter.setFont(lesser)
        drawing.thumbnail(painter, square, self._state.thumbnail(hit), "" if hit.image_id is not None else REPORT_ONLY)
        left = square.right() + 10
        metrics = QFontMetricsF(lesser)
        right = drawing.badge(
            painter,
            left,
            area.top(),
            hit.kind.capitalize(),
            theme.current.accent if hit.kind == "image" else theme.current.green,
            lesser,
        )
        if hit.prior:
            right = drawing.badge(painter, right + 5, area.top(), "Prior", theme.current.amber, lesser)
        score = f"{hit.score:.2f}"
        available = area.right() - metrics.horizontalAdvance(score) - 10 - right - 8
        painter.setPen(QColor(theme.current.muted))
        head = QRectF(right + 8, area.top(), available, metrics.height() + 3)
        facts = metrics.elidedText(hit_facts(hit), Qt.TextElideMode.ElideRight, available)
        painter.drawText(head, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, facts)
        painter.setPen(QColor(theme.current.text))
        score_rect = QRectF(area.left(), area.top(), area.width(), metrics.height() + 3)
        painter.drawText(score_rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, score)
        painter.setFont(option.font)
        width, top = area.right() - left, area.top() + metrics.height() + 7
        text = hit.text or "No report"
        painter.setPen(QColor(theme.current.text if hit.text else theme.current.muted))
        for text_line in drawing.wrapped(text, option.font, width, TEXT_LINES):
            painter.drawText(QRectF(left, top, width, line), Qt.AlignmentFlag.AlignVCenter, text_line)
            top += line
        painter.setFont(lesser)
        painter.setPen(QColor(theme.current.muted))
        why = metrics.elidedText(hit.why, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRectF(left, top + 1, width, metrics.lineSpacing()), Qt.AlignmentFlag.AlignVCenter, why)
        painter.restore()


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
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Similar cases")
        self.selectionModel().currentChanged.connect(self._on_current)
        state.selection_changed.connect(self._follow)

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
