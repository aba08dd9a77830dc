"""The Measurements window: a table of all measurements of the study on screen. Shows a MeasurementListState."""

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
from desktop.views.sizes import fit_pixels
from engine.text.words import counted

HEADINGS = ("Measurement", "Value", "Image", "Series")
EMPTY = (
    "No measurements or annotations in this study.\n\n"
    "Choose a tool in the Measure menu, such as Length (D), and drag on the image, or press Enter there and point with "
    "the arrow keys."
)

NO_STUDY = "No study on screen.\n\nOpen a study to see its measurements."
KEYS = (("Enter", "go to image"), ("Delete", "delete"), ("Ctrl+Z", "undo"), ("Ctrl+C", "copy"))
"""Keys of the window, shown below the table."""
ID = Qt.ItemDataRole.UserRole
SELECT_ROW = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


class MeasurementList(QDialog):
    """Lists, selects, deletes and copies measurements; opens the image of one."""

    def __init__(
        self, listing: MeasurementListState, measurements: MeasurementsState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._listing, self._measurements = listing, measurements
        self._selected = ""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Measurements")
        fit_pixels(self, 860, 340)
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
        self.count, self.keys = QLabel(), QLabel(" · ".join(f"{_native(key)}: {action}" for key, action in KEYS))
        footer = QHBoxLayout()
        for label, stretch in ((self.count, 1), (self.keys, 0)):
            label.setProperty("muted", True)
            footer.addWidget(label, stretch)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.stack, 1)
        layout.addLayout(footer)
        for key, action in (
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
            shortcut.setAutoRepeat(False)  # holding a key down must not delete more than one
            shortcut.activated.connect(action)
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
        """Keep the selection of rows that remain; a measurement selected in the image is selected here."""
        rows, selected, before = self._listing.rows, set(self.selected()), self.table.currentIndex().row()
        if self._listing.selected != self._selected:
            self._selected = self._listing.selected
            selected = {self._selected} if self._selected else selected
        moved = [row.id for row in rows] != [self._id(number) for number in range(self.model.rowCount())]
        self.model.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, item in enumerate(_cells(row)):
                self.model.setItem(number, column, item)
        if moved or selected != set(self.selected()):
            self._select([number for number, row in enumerate(rows) if row.id in selected], before)
        self.empty.setText(EMPTY if self._listing.has_study else NO_STUDY)
        self.stack.setCurrentWidget(self.table if rows else self.empty)
        self.keys.setVisible(bool(rows))
        self.count.setText(counted(len(rows), "measurement") if rows else "")

    def _select(self, numbers: list[int], before: int) -> None:
        """Select rows, or the row now at `before` if none is given, so that keyboard use continues there."""
        selection, current = self.table.selectionModel(), numbers[-1] if numbers else before
        current = min(current, self.model.rowCount() - 1)
        numbers = numbers or ([current] if current >= 0 else [])
        selection.setCurrentIndex(self.model.index(current, 0), QItemSelectionModel.SelectionFlag.Clear)
        for number in numbers:
            selection.select(self.model.index(number, 0), SELECT_ROW)

    def selected(self) -> list[str]:
        """Ids of the selected rows."""
        return [self._id(index.row()) for index in self.table.selectionModel().selectedRows()]

    def _id(self, number: int) -> str:
        return str(self.model.item(number, 0).data(ID))

    def _show_image(self) -> None:
        index = self.table.currentIndex()
        if index.isValid():
            self._measurements.go_to(self._id(index.row()))

    def _delete(self) -> None:
        if self.selected():
            self._measurements.delete(*self.selected())

    def _copy(self) -> None:
        count = len(self.selected()) or len(self._listing.rows)
        if count:
            QGuiApplication.clipboard().setText(self._listing.text(self.selected()))
            self.count.setText(f"{counted(count, 'measurement')} copied")


def _native(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _cells(row: MeasurementRow) -> list[QStandardItem]:
    cells = [QStandardItem(text) for text in (row.kind, row.reading, row.image, row.series)]
    for cell in cells:
        cell.setToolTip(cell.text())  # the column may be too narrow
    cells[0].setData(row.id, ID)
    return cells
