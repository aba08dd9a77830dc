"""The open studies and their series with thumbnails. Shows a StudiesState; reads no files."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QMimeData, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QLabel, QListView, QStackedWidget, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from desktop import theme
from desktop.state.annotations import format_date, readable_name, series_title
from desktop.state.studies import StudiesState, identify
from desktop.state.viewport import ViewportState
from desktop.views import drawing
from desktop.views.viewport import SERIES
from engine.study import Series, Study

THUMBNAIL = 60
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A study's heading, or one of its series."""

    study: Study
    series: Series | None

    @property
    def series_id(self) -> str:
        return identify(self.study, self.series) if self.series else ""

    @property
    def name(self) -> tuple[str, str]:
        """What stays the same while more of the row becomes known."""
        return self.study.uid, self.series_id


class SeriesModel(QAbstractListModel):
    def __init__(self, studies: StudiesState, viewport: ViewportState, parent: QWidget) -> None:
        super().__init__(parent)
        self._studies, self._viewport = studies, viewport
        self.rows: list[Row] = []
        self.reloading = False
        """The list looks for another current row while the old one goes away; nobody chose that."""
        studies.changed.connect(self._reload)
        studies.thumbnail_changed.connect(self._refresh)
        viewport.identity_changed.connect(self._refresh)

    def _reload(self) -> None:
        """Change only the rows between the first and the last difference: the list keeps its place while it grows."""
        rows = [row for study in self._studies.studies for row in (Row(study, None), *_series_rows(study))]
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

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        chosen = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsDragEnabled
        return chosen if self.rows[index.row()].series else Qt.ItemFlag.ItemIsEnabled

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return ", ".join(self.lines(row))
        return None

    def mimeTypes(self) -> list[str]:
        return [SERIES]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The series that is dragged into a viewport."""
        data = QMimeData()
        data.setData(SERIES, self.rows[indexes[0].row()].series_id.encode("utf-8"))
        return data

    def lines(self, row: Row) -> list[str]:
        """Title first."""
        if row.series is None:
            study = row.study
            name = readable_name(study.patient.name) if self._viewport.identity_visible else "Identity hidden"
            about = " · ".join(part for part in (format_date(study.date), study.description.strip()) if part)
            return [name or "Unnamed patient", about or "Study without description"]
        series = row.series
        count = len(series.frames)
        reading = " so far" if series.growing else ""
        part = f" · {series.body_part.capitalize()}" if series.body_part and series.description else ""
        images = f"{series.modality or '?'} · {count} image{'' if count == 1 else 's'}{reading}{part}"
        return [series_title(series), images]


def difference(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """How many items are the same at the start, and how many of the others at the end."""
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    end = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    return start, end


def _series_rows(study: Study) -> list[Row]:
    return [Row(study, series) for series in study.series]


class SeriesDelegate(QStyledItemDelegate):
    def __init__(self, model: SeriesModel, studies: StudiesState, parent: QWidget) -> None:
        super().__init__(parent)
        self._model, self._studies = model, studies

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        line = QFontMetricsF(option.font).lineSpacing()
        heading = self._model.rows[index.row()].series is None
        return QSize(160, int(2 * line + 18 if heading else max(THUMBNAIL + 12, 3 * line + 10)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = self._model.rows[index.row()]
        title, about = self._model.lines(row)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(option.rect)
        line = QFontMetricsF(option.font).lineSpacing()
        if row.series is None:
            bold = drawing.small(option.font, bold=True)
            bold.setPointSizeF(option.font.pointSizeF())
            _line(painter, area.adjusted(8, 10, -8, 0), title, bold, theme.TEXT)
            _line(painter, area.adjusted(8, 10 + line, -8, 0), about, drawing.small(option.font), theme.MUTED)
        else:
            drawing.background(painter, option)
            square = QRectF(area.left() + 7, area.top() + 6, THUMBNAIL, THUMBNAIL)
            drawing.thumbnail(painter, square, self._studies.thumbnail(row.series_id))
            text = QRectF(square.right() + 10, area.top() + 6, area.right() - square.right() - 16, area.height() - 12)
            lines = drawing.wrapped(title, option.font, text.width(), 2)
            for number, words in enumerate(lines):
                _line(painter, text.adjusted(0, number * line, 0, 0), words, option.font, theme.TEXT)
            place = text.adjusted(0, len(lines) * line + 2, 0, 0)
            _line(painter, place, about, drawing.small(option.font), theme.MUTED)
        painter.restore()


def _line(painter: QPainter, area: QRectF, text: str, font: Any, color: str) -> None:
    metrics = QFontMetricsF(font)
    painter.setFont(font)
    painter.setPen(QColor(color))
    place = QRectF(area.left(), area.top(), area.width(), metrics.lineSpacing())
    elided = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, elided)


class SeriesList(QStackedWidget):
    """The list, or a hint while nothing is open."""

    def __init__(self, studies: StudiesState, viewport: ViewportState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studies = studies
        self.model = SeriesModel(studies, viewport, self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(SeriesDelegate(self.model, studies, self))
        self.list.setMouseTracking(True)
        self.list.setDragEnabled(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName("Studies and series")
        self.list.selectionModel().currentChanged.connect(self._on_current)
        empty = QLabel("No study is open.\n\nDrop files, folders or a zip here, or press Ctrl+O.")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        empty.setProperty("muted", True)
        empty.setContentsMargins(12, 14, 12, 12)
        self.addWidget(empty)
        self.addWidget(self.list)
        studies.changed.connect(self._on_studies)
        studies.selected.connect(self._follow)

    def _on_studies(self) -> None:
        self.setCurrentIndex(1 if self._studies.studies else 0)
        self._follow()

    def _follow(self) -> None:
        """Show as current what the state has chosen."""
        chosen = self._studies.series
        for number, row in enumerate(self.model.rows):
            if chosen is not None and row.series is chosen:
                self.list.setCurrentIndex(self.model.index(number))

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid() and not self.model.reloading and self.model.rows[index.row()].series:
            self._studies.select(self.model.rows[index.row()].series_id)
