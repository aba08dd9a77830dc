"""The window "DICOM elements": a table with a search line. Shows TagsState, nothing else."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.viewer.tags import TagsState

HEADINGS = ("Number", "VR", "Name", "Value")


class TagBrowser(QDialog):
    def __init__(self, tags: TagsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tags = tags
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("DICOM elements")
        self.resize(860, 620)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name, number or value")
        self.search.setAccessibleName("Search elements")
        self.search.setClearButtonEnabled(True)
        self.identity = QCheckBox("Show the patient's identity")
        self.count = QLabel()
        self.count.setProperty("muted", True)
        self.model = QStandardItemModel(self)
        self.table = QTableView()
        self.table.setAccessibleName("Elements")
        self.table.setModel(self.model)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        line = QHBoxLayout()
        line.addWidget(self.search, 1)
        line.addWidget(self.identity)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.count)
        self.search.textChanged.connect(tags.set_search)
        self.identity.toggled.connect(tags.set_patient_data_visible)
        tags.changed.connect(self._fill)
        self.finished.connect(tags.stop_following)
        tags.set_search("")

    def _fill(self) -> None:
        if self.identity.isChecked() != self._tags.patient_data_visible:
            self.identity.setChecked(self._tags.patient_data_visible)
        self.setWindowTitle(f"DICOM elements: {self._tags.title}" if self._tags.title else "DICOM elements")
        rows, place = self._tags.rows, self.table.verticalScrollBar().value()
        self.model.clear()
        self.model.setHorizontalHeaderLabels(HEADINGS)
        for row in rows:
            self.model.appendRow([QStandardItem(text) for text in row])
        letter = self.fontMetrics().averageCharWidth()
        for column, letters in enumerate((13, 6, 44)):
            self.table.setColumnWidth(column, letters * letter)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.verticalScrollBar().setValue(place)
        self.count.setText(self._tags.failure or f"{len(rows):,} element{'' if len(rows) == 1 else 's'}")
