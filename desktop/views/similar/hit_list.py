"""The hits as a list of rows or as a grid of pictures. Shows a SearchState; ranks and paints nothing."""

from collections.abc import Sequence
from textwrap import fill, shorten
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListView, QWidget
from typing_extensions import override

from desktop.state.settings import SettingsState
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.search import SearchState
from desktop.views.drawing import ModelIndex
from desktop.views.similar.hit_parts import hit_facts, strength_of
from desktop.views.similar.hit_row import RowDelegate
from desktop.views.similar.hit_tile import TileDelegate
from desktop.views.viewer.viewport import CASE

MOST, WIDTH = 600, 80
"""Characters of a report in a tooltip, and of a line there."""


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
            word = strength_of(self._state, index.row()).word.lower()
            prior = "prior of this patient" if hit.prior else ""
            about = ", ".join(part for part in (hit.kind, prior, hit_facts(hit), word) if part)
            return f"{about}, score {hit.score:.2f}. {hit.text}. {hit.why}"
        if role == Qt.ItemDataRole.ToolTipRole:
            cosine = f", cosine {hit.cosine:.3f}" if hit.cosine is not None else ""
            words = fill(shorten(hit.text, MOST, placeholder=" …"), WIDTH)
            return f"{words}\nScore {hit.score:.3f}{cosine}: {hit.why}".strip()
        return None


class HitList(QListView):
    """The arrow keys select a hit, in two directions in the grid; it is shown in full below.

    Enter, a double click or dragging to a viewport shows it beside the current image; then the page keys go through the
    images of its case, and Esc closes it.
    """

    def __init__(
        self,
        state: SearchState,
        comparison: ComparisonState,
        settings: SettingsState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._comparison, self._settings = state, comparison, settings
        self._rows, self._tiles = RowDelegate(state, self), TileDelegate(state, self)
        self.setDragEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.activated.connect(lambda _: comparison.start())
        self.setModel(HitModel(state, self))
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Similar cases")
        self.selectionModel().currentChanged.connect(self._on_current)
        state.selection_changed.connect(self._follow)
        state.changed.connect(self.viewport().update)
        settings.changed.connect(self._arrange)
        self._arrange()

    def _arrange(self) -> None:
        """Rows or tiles, as the settings say."""
        grid = self._settings.now.hit_grid
        delegate = self._tiles if grid else self._rows
        if self.itemDelegate() is not delegate:
            self.setFlow(QListView.Flow.LeftToRight if grid else QListView.Flow.TopToBottom)
            self.setWrapping(grid)
            self.setItemDelegate(delegate)
            self.scrollTo(self.currentIndex())

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
