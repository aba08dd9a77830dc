"""The window "Measurements": a table of those of the study on screen. Shows MeasurementListState, nothing else."""

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.measure.measurement_list import MeasurementListState, MeasurementRow
from desktop.state.measure.measurements import MeasurementsState

HEADINGS = ("Measurement", "Reading", "Image", "Series")
EMPTY = (
    "No measurements in this study yet.\n\n"
    "To draw one, choose a tool of the menu Measure, such as Length (D), and drag over the image."
)
NO_STUDY = "No study is on screen.\n\nOpen one to see its measurements."
KEYS = (("Enter", "shows the image"), ("Delete", "deletes"), ("Ctrl+Z", "undoes"), ("Ctrl+C", "copies"))
ID = Qt.ItemDataRole.UserRole
SELECT_ROW = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


class MeasurementList(QDialog):
    def __init__(
        self, listing: MeasurementListState, measurements: MeasurementsState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._listing, self._measurements = listing, measurements
        self._selected = ""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Measurements")
        self.resize(860, 340)
        self.model = QStandardItemModel(0, len(HEADINGS), self)
        self.model.setHorizontalHeaderLabels(HEADINGS)
        self.table = self._make_table()
        self.empty = QLabel()
        self.empty.setProperty("muted", True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.table)
        self.stack.addWidget(self.empty)
        self.count, self.keys = QLabel(), QLabel(" · ".join(f"{_native(key)} {does}" for key, does in KEYS))
        line = QHBoxLayout()
        for label, stretch in ((self.count, 1), (self.keys, 0)):
            label.setProperty("muted", True)
            line.addWidget(label, stretch)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.stack, 1)
        layout.addLayout(line)
        for key, do in (
            ("Return", self._show_image),
            ("Enter", self._show_image),
            ("Delete", self._delete),
            ("Backspace", self._delete),
            ("Ctrl+C", self._copy),
            ("Ctrl+Z", measurements.undo),
            ("Ctrl+Shift+Z", measurements.redo),
            ("Ctrl+Y", measurements.redo),
        ):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setAutoRepeat(False)  # a key held down for too long deletes no second one
            shortcut.activated.connect(do)
        self.table.doubleClicked.connect(self._show_image)
        self.finished.connect(lambda: listing.watch(False))
        listing.changed.connect(self._fill)
        listing.watch(True)
        self._fill()

    def _make_table(self) -> QTableView:
        table = QTableView()
        table.setAccessibleName("Measurements")
        table.setModel(self.model)
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        letter = self.fontMetrics().averageCharWidth()
        for column, letters in enumerate((16, 0, 9, 32)):
            table.setColumnWidth(column, letters * letter)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        return table

    def _fill(self) -> None:
        """Rows keep being chosen as long as they are there; what is chosen in the image is chosen here."""
        rows, chosen, before = self._listing.rows, set(self.chosen()), self.table.currentIndex().row()
        if self._listing.selected != self._selected:
            self._selected = self._listing.selected
            chosen = {self._selected} if self._selected else chosen
        moved = [row.id for row in rows] != [self._id(number) for number in range(self.model.rowCount())]
        self.model.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, item in enumerate(_cells(row)):
                self.model.setItem(number, column, item)
        if moved or chosen != set(self.chosen()):
            self._choose([number for number, row in enumerate(rows) if row.id in chosen], before)
        self.empty.setText(EMPTY if self._listing.has_study else NO_STUDY)
        self.stack.setCurrentWidget(self.table if rows else self.empty)
        self.keys.setVisible(bool(rows))
        self.count.setText(f"{len(rows):,} measurement{'' if len(rows) == 1 else 's'}" if rows else "")

    def _choose(self, numbers: list[int], before: int) -> None:
        """Choose rows; when all that were chosen are gone, the one in their place, so that keys go on there."""
        selection, current = self.table.selectionModel(), numbers[-1] if numbers else before
        current = min(current, self.model.rowCount() - 1)
        numbers = numbers or ([current] if current >= 0 else [])
        selection.setCurrentIndex(self.model.index(current, 0), QItemSelectionModel.SelectionFlag.Clear)
        for number in numbers:
            selection.select(self.model.index(number, 0), SELECT_ROW)

    def chosen(self) -> list[str]:
        """Ids of the chosen rows."""
        return [self._id(index.row()) for index in self.table.selectionModel().selectedRows()]

    def _id(self, number: int) -> str:
        return str(self.model.item(number, 0).data(ID))

    def _show_image(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self._measurements.go_to(self._id(index.row()))

    def _delete(self) -> None:
        if self.chosen():
            self._measurements.delete(*self.chosen())

    def _copy(self) -> None:
        count = len(self.chosen()) or len(self._listing.rows)
        if count:
            QGuiApplication.clipboard().setText(self._listing.text(self.chosen()))
            self.count.setText(f"{count:,} measurement{' was' if count == 1 else 's were'} copied.")


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _cells(row: MeasurementRow) -> list[QStandardItem]:
    cells = [QStandardItem(text) for text in (row.kind, row.reading, row.image, row.series)]
    for cell in cells:
        cell.setToolTip(cell.text())  # what is too long for its column
    cells[0].setData(row.id, ID)
    return cells
