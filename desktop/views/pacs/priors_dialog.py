"""The priors that a PACS has of the patient on screen, as a list to choose from. Shows a PacsPriorsState."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.desk import Desk
from desktop.state.formatting import patient_facts, readable_name
from desktop.state.pacs.priors import PriorRow
from desktop.views.sizes import fit_pixels

HEADINGS = ("Date", "Modality", "Description", "Images", "Note")
DESCRIPTION, IMAGES = 2, 3
UID = Qt.ItemDataRole.UserRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class PacsPriorsDialog(QDialog):
    """Stays open while studies are retrieved, which the status bar shows; closes when another patient is on screen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._state = desk, desk.pacs.priors
        self.setWindowTitle("Priors in PACS")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fit_pixels(self, 820, 420)
        self.patient = QLabel()
        self.pacs = QComboBox()
        self.pacs.setAccessibleName("PACS")
        self.pacs.addItems([one.name for one in desk.pacs.addresses.known])
        if self._state.pacs is not None:
            self.pacs.setCurrentText(self._state.pacs.name)
        self.pacs.textActivated.connect(self._state.start)
        self.again = QPushButton("Ask again")
        self.again.setAutoDefault(False)
        self.again.clicked.connect(lambda: self._state.start(self.pacs.currentText()))
        self.list = QTreeWidget()
        self.list.setAccessibleName("Other studies of this patient")
        self.list.setHeaderLabels(list(HEADINGS))
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setStyleSheet("QTreeWidget::item { padding: 4px 0; }")
        self.list.headerItem().setTextAlignment(IMAGES, RIGHT)
        header = self.list.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(DESCRIPTION, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)  # Qt leaves out the room of check marks
        header.resizeSection(0, self.fontMetrics().horizontalAdvance("0000-00-00 00:00") + 8 * theme.GAP)
        header.setStretchLastSection(False)
        self.list.itemChanged.connect(lambda: self._show_button())
        self.list.currentItemChanged.connect(lambda: self._show_button())
        self.list.itemDoubleClicked.connect(self._retrieve_one)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setAutoDefault(False)
        self.retrieve = self.buttons.addButton("Retrieve and open", QDialogButtonBox.ButtonRole.ActionRole)
        self.retrieve.setProperty("primary", True)
        self.retrieve.setDefault(True)
        self.retrieve.clicked.connect(lambda: self._state.retrieve(self.chosen))
        self.buttons.rejected.connect(self.reject)
        top = QHBoxLayout()
        top.addWidget(self.patient, 1)
        top.addWidget(self.pacs)
        top.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addLayout(top)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.line)
        layout.addWidget(self.buttons)
        self._shown: list[PriorRow] = []
        self._state.changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show_patient)
        self._show()
        self.list.setFocus()

    @property
    def checked(self) -> list[str]:
        """UIDs of the studies with a check mark, newest first."""
        return [item.data(0, UID) for item in self._items() if item.checkState(0) == CHECKED]

    @property
    def chosen(self) -> list[str]:
        """UIDs of the studies with a check mark, else of the selected one unless it is open."""
        current = self.list.currentItem()
        selected = [current.data(0, UID)] if current is not None else []
        opened = {row.uid for row in self._shown if row.is_open}
        return self.checked or [uid for uid in selected if uid not in opened]

    @override
    def done(self, result: int) -> None:
        """Stop asking; a retrieval goes on."""
        self._state.changed.disconnect(self._show)
        self._state.forget()
        super().done(result)

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.list.topLevelItem(number) for number in range(self.list.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _show(self) -> None:
        if self._state.study is None:  # another patient is on screen
            self.reject()
            return
        self._show_patient()
        rows = self._state.rows
        if rows != self._shown:
            checked = set(self.checked)
            self._shown = rows
            self.list.clear()
            for row in rows:
                self._add(row, row.uid in checked)
            for first in self._items()[:1]:
                self.list.setCurrentItem(first)
        self.line.setText(self._state.line)
        self.again.setEnabled(not self._state.asking)
        self._show_button()

    def _add(self, row: PriorRow, checked: bool) -> None:
        cells = [row.date or "undated", row.modality, row.description, row.images, row.note]
        item = QTreeWidgetItem(self.list, cells)
        item.setTextAlignment(IMAGES, RIGHT)
        item.setData(0, UID, row.uid)
        item.setToolTip(DESCRIPTION, row.description)
        item.setCheckState(0, CHECKED if checked and not row.is_open else UNCHECKED)
        if row.is_open:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
            item.setData(0, Qt.ItemDataRole.CheckStateRole, None)
        if row.warns:
            item.setForeground(len(cells) - 1, QColor(theme.current.amber))

    def _show_patient(self) -> None:
        study = self._state.study
        if study is None:
            return
        named = ", ".join(filter(None, (readable_name(study.patient.name), study.patient.id)))
        facts = patient_facts(study.patient)
        visible = self._desk.viewport.patient_data_visible
        self.patient.setText(" · ".join(filter(None, (named, facts))) if visible else "Patient data hidden")

    def _show_button(self) -> None:
        why = self._state.why_not(self.chosen)
        self.retrieve.setEnabled(not why)
        self.retrieve.setToolTip(why)

    def _retrieve_one(self, item: QTreeWidgetItem) -> None:
        row = next(one for one in self._shown if one.uid == item.data(0, UID))
        if not row.is_open:
            self._state.retrieve([row.uid])
