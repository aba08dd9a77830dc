"""The study browser: open studies and their series with thumbnails. Shows a StudiesState; reads no files."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.desk import Desk
from desktop.state.studies.browser import BrowserRow, join_parts, row_text
from desktop.state.studies.studies import StudiesState
from desktop.state.studies.study_list import StudyListState
from desktop.state.viewer.viewport import ViewportState
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.studies.empty_studies import EmptyStudies
from desktop.views.studies.study_search import StudySearch
from desktop.views.viewer.viewport import SERIES

THUMBNAIL = 60
SIGNS = {"report": "SR", "PDF": "PDF", "presentation state": "PR", "segmentation": "SEG"}
"""Modality of a document, beside its title."""
PATIENT_ABOVE, STUDY_ABOVE = 10, 4
"""Logical pixels above a heading."""
STATUS = {"drafted": "Drafted", "edited": "Edited", "signed": "Signed", "waiting": "Waiting"}
"""What stands beside a study about its report."""
STATUS_TIPS = {
    "drafted": "Its report has proposals to decide on.",
    "edited": "Its report is not signed yet.",
    "signed": "Its report is signed and archived.",
    "waiting": "Its report is signed and waits for an archive.",
}


class SeriesModel(QAbstractListModel):
    """A row for each patient and study heading, each series and each document that is listed."""

    def __init__(
        self,
        listed: StudyListState,
        studies: StudiesState,
        viewport: ViewportState,
        status_of: Callable[[str], str],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._listed, self._viewport, self._status_of = listed, viewport, status_of
        self.rows: list[BrowserRow] = []
        self.reloading = False
        """While rows are replaced, Qt makes another row current; that is not a selection by the user."""
        listed.changed.connect(self._reload)
        studies.thumbnail_changed.connect(self._refresh)
        viewport.redaction_changed.connect(self._refresh)

    def _reload(self) -> None:
        """Replace only the rows between the first and last difference, so that a growing list does not scroll."""
        rows = self._listed.rows
        self.reloading = True
        start, end = difference([row.name for row in self.rows], [row.name for row in rows])
        if start < len(self.rows) - end:
            self.beginRemoveRows(QModelIndex(), start, len(self.rows) - end - 1)
            self.rows = self.rows[:start] + self.rows[len(self.rows) - end :]
            self.endRemoveRows()
        if start < len(rows) - end:
            self.beginInsertRows(QModelIndex(), start, len(rows) - end - 1)
            self.rows = rows
            self.endInsertRows()
        self.rows = rows
        self.reloading = False
        self._refresh()

    def _refresh(self, series_id: str = "") -> None:
        if self.rows:
            self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1))

    @override
    def rowCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    @override
    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        row = self.rows[index.row()]
        selectable = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        if row.document is not None:
            return selectable
        if row.series is not None:
            return selectable | Qt.ItemFlag.ItemIsDragEnabled
        return Qt.ItemFlag.NoItemFlags  # else a click on a heading takes the highlight from the series on screen

    @override
    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join(part for part in (*self.lines(row), STATUS.get(self.status(row), "")) if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return join_parts(", ".join(self.lines(row)), STATUS_TIPS.get(self.status(row), ""))
        return None

    @override
    def mimeTypes(self) -> list[str]:
        return [SERIES]

    @override
    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(SERIES, self.rows[indexes[0].row()].series_id.encode("utf-8"))
        return data

    def lines(self, row: BrowserRow) -> tuple[str, str]:
        """The title of a row and the line below it."""
        return row_text(row, self._viewport.patient_data_visible)

    def status(self, row: BrowserRow) -> str:
        """State of the report of a study's row; "" for none, and in other rows."""
        heading = row.series is None and row.document is None and not row.patient_studies
        return self._status_of(row.study.uid) if heading else ""


def difference(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """The lengths of the common prefix and, of the remaining items, the common suffix."""
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    end = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    return start, end


class SeriesDelegate(QStyledItemDelegate):
    """Paints a heading, a series with its thumbnail, or a document."""

    def __init__(self, model: SeriesModel, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._model, self._desk, self._studies = model, desk, desk.studies

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        line = QFontMetricsF(option.font).lineSpacing()
        row = self._model.rows[index.row()]
        heading = 2 * line + (PATIENT_ABOVE if row.patient_studies else STUDY_ABOVE) + 6
        if row.document is not None:
            return QSize(160, int(2 * line + 14))
        return QSize(160, int(max(THUMBNAIL + 12, 3 * line + 10) if row.series else heading))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        row = self._model.rows[index.row()]
        title, about = self._model.lines(row)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        line = QFontMetricsF(option.font).lineSpacing()
        if row.document is not None:
            drawing.background(painter, option)
            text = area.adjusted(7 + THUMBNAIL + 10, 6, -6, 0)
            shown = self._desk.documents.is_shown(row.document)
            mark = area.adjusted(7, 6, -(area.width() - THUMBNAIL), 0)
            _line(
                painter, mark, f"{'✓ ' if shown else ''}{SIGNS[row.document.kind]}", option.font, theme.current.accent
            )
            _line(painter, text, title, option.font, theme.current.text)
            second = text.adjusted(0, line, 0, 0)
            _line(painter, second, about, drawing.small(option.font), theme.current.muted)
        elif row.series is None:
            above = PATIENT_ABOVE if row.patient_studies else STUDY_ABOVE
            font = QFont(option.font)
            font.setBold(bool(row.patient_studies))
            if row.patient_studies and index.row():
                painter.fillRect(QRectF(area.left(), area.top(), area.width(), 1), QColor(theme.current.border))
            right = self._paint_status(painter, area.adjusted(0, above, -8, 0), row, option.font)
            _line(painter, area.adjusted(8, above, -right, 0), title, font, theme.current.text)
            second = area.adjusted(8, above + line, -8, 0)
            _line(painter, second, about, drawing.small(option.font), theme.current.muted)
        else:
            drawing.background(painter, option)
            square = QRectF(area.left() + 7, area.top() + 6, THUMBNAIL, THUMBNAIL)
            drawing.thumbnail(painter, square, self._studies.thumbnail(row.series_id))
            text = QRectF(square.right() + 10, area.top() + 6, area.right() - square.right() - 16, area.height() - 12)
            lines = drawing.wrapped(title, option.font, text.width(), 2)
            for number, title_line in enumerate(lines):
                _line(painter, text.adjusted(0, number * line, 0, 0), title_line, option.font, theme.current.text)
            below = text.adjusted(0, len(lines) * line + 2, 0, 0)
            _line(painter, below, about, drawing.small(option.font), theme.current.muted)
        painter.restore()

    def _paint_status(self, painter: QPainter, area: QRectF, row: BrowserRow, font: QFont) -> float:
        """Paint the state of the report at the right; returns the room that it leaves the title, from the right."""
        status = self._model.status(row)
        if not status:
            return 8.0
        color = {"signed": theme.current.green, "waiting": theme.current.amber}.get(status, theme.current.accent)
        text, smaller = STATUS[status], drawing.small(font)
        width = QFontMetricsF(smaller).horizontalAdvance(text) + 12
        drawing.badge(painter, area.right() - width, area.top(), text, color, smaller)
        return width + 16.0


def _line(painter: QPainter, area: QRectF, text: str, font: Any, color: str) -> None:
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(QColor(color))
    row = QRectF(area.left(), area.top(), area.width(), metrics.lineSpacing())
    elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)


class RowList(QListView):
    """A list in which keys go from one selectable row to another, over the headings."""

    @override
    def moveCursor(self, cursorAction: QListView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        model, move = self.model(), QListView.CursorAction
        every = [model.index(number, 0) for number in range(model.rowCount())]
        rows = [index for index in every if index.flags() & Qt.ItemFlag.ItemIsSelectable]
        if not rows:
            return QModelIndex()
        here = self.currentIndex().row()
        before = [index for index in rows if index.row() < here] or rows[:1]
        after = [index for index in rows if index.row() > here] or rows[-1:]
        page = max(1, self.viewport().height() // max(1, self.visualRect(rows[0]).height()) - 1)
        targets = {
            move.MoveUp: before[-1],
            move.MovePrevious: before[-1],
            move.MoveDown: after[0],
            move.MoveNext: after[0],
            move.MoveHome: rows[0],
            move.MoveEnd: rows[-1],
            move.MovePageUp: before[-page:][0],
            move.MovePageDown: after[:page][-1],
        }
        target = targets.get(cursorAction, self.currentIndex())
        if target == rows[0]:
            self.scrollToTop()  # with its headings
        return target


class SeriesList(QStackedWidget):
    """The list below its search field, or a hint while no study is open."""

    menu_requested = Signal(object)
    """A QPoint of the screen: the context menu of the series on screen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        studies = self._studies = desk.studies
        self._desk = desk
        viewport, statuses = cast(ViewportState, desk.layout.active_proxy), desk.report.statuses
        self.model = SeriesModel(desk.study_list, studies, viewport, statuses.of, self)
        self.list = RowList()
        self.list.setModel(self.model)
        self.list.setItemDelegate(SeriesDelegate(self.model, desk, self))
        self.list.setMouseTracking(True)
        self.list.setDragEnabled(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Studies and series")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._request_menu)
        self.list.selectionModel().currentChanged.connect(self._on_current)
        self.list.clicked.connect(self._show)
        self.list.activated.connect(self._show)
        for changed in (desk.documents.changed, statuses.changed):
            changed.connect(self.list.viewport().update)
        self.empty = EmptyStudies(desk)
        self.search = StudySearch(desk.study_list, self.list)
        self._filled = QWidget()
        below = QVBoxLayout(self._filled)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.search)
        below.addWidget(self.list, 1)
        self.addWidget(self.empty)
        self.addWidget(self._filled)
        desk.study_list.changed.connect(self._on_studies)
        studies.selected.connect(self._follow)

    def _on_studies(self) -> None:
        filled = bool(self._studies.studies or self._studies.documents)
        self.setCurrentWidget(self._filled if filled else self.empty)
        self._follow()

    def focus_list(self) -> None:
        """Move the keyboard to the list, or to the latest recent study while none is open."""
        recent = self.empty.recent[0]
        if self.currentWidget() is not self.empty:
            self.list.setFocus(Qt.FocusReason.ShortcutFocusReason)
        elif recent.isVisibleTo(self.empty):
            recent.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _follow(self) -> None:
        """Make the row of the selected series current; none while a search leaves it out: no other is on screen."""
        selected = self._studies.series
        shown = [
            number for number, row in enumerate(self.model.rows) if row.series is not None and row.series is selected
        ]
        if shown:
            self.list.setCurrentIndex(self.model.index(shown[0]))
        else:
            self.list.selectionModel().clear()

    def _show(self, index: QModelIndex) -> None:
        """Show the series or the document of a row, even the current one: the active viewport may show another."""
        row = self.model.rows[index.row()]
        if row.document is not None:
            self._desk.documents.open(row.document)
        elif row.series is not None:
            self._desk.show_series_in(self._desk.viewport, row.series_id)

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid() and not self.model.reloading and self.model.rows[index.row()].series:
            self._studies.select(self.model.rows[index.row()].series_id)

    def _request_menu(self, point: QPoint) -> None:
        if self.list.indexAt(point).isValid():
            self.menu_requested.emit(self.list.viewport().mapToGlobal(point))
