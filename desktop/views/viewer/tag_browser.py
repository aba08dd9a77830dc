"""The DICOM tags window: a searchable table of the data elements of one image. Shows a TagsState."""

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
from desktop.views.sizes import fit_pixels
from engine.text.words import counted

HEADINGS = ("Tag", "VR", "Name", "Value")


class TagBrowser(QDialog):
    """Lists the tags of the image on screen; patient data is hidden unless requested."""

    def __init__(self, tags: TagsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tags = tags
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("DICOM tags")
        fit_pixels(self, 860, 620)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by name, tag or value")
        self.search.setAccessibleName("Search tags")
        self.search.setClearButtonEnabled(True)
        self.patient_data = QCheckBox("Show patient data")
        self.count = QLabel()
        self.count.setProperty("muted", True)
        self.model = QStandardItemModel(self)
        self.table = QTableView()
        self.table.setAccessibleName("Tags")
        self.table.setModel(self.model)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = QHBoxLayout()
        header.addWidget(self.search, 1)
        header.addWidget(self.patient_data)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addLayout(header)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.count)
        self.search.textChanged.connect(tags.set_search)
        self.patient_data.toggled.connect(tags.set_patient_data_visible)
        tags.changed.connect(self._fill)
        self.finished.connect(tags.stop_following)
        tags.set_search("")

    def _fill(self) -> None:
        if self.patient_data.isChecked() != self._tags.patient_data_visible:
            self.patient_data.setChecked(self._tags.patient_data_visible)
        self.setWindowTitle(f"DICOM tags: {self._tags.title}" if self._tags.title else "DICOM tags")
        rows, scroll = self._tags.rows, self.table.verticalScrollBar().value()
        self.model.clear()
        self.model.setHorizontalHeaderLabels(HEADINGS)
        for row in rows:
            self.model.appendRow([QStandardItem(text) for text in row])
        letter = self.fontMetrics().averageCharWidth()
        for column, letters in enumerate((13, 6, 44)):
            self.table.setColumnWidth(column, letters * letter)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        self.table.verticalScrollBar().setValue(scroll)
        self.count.setText(self._tags.failure or counted(len(rows), "tag"))
