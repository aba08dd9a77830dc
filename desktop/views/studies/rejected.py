"""The quiet list of files that were left out, each with its reason. Shows what it is given."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.state.redaction import NAME_HIDDEN, redact_names
from desktop.views.drawing import ModelIndex
from engine.errors import Rejected

HEADINGS = ("File", "Reason")
NOWHERE = QModelIndex()


class RejectedModel(QAbstractTableModel):
    """A row a file; cells are asked for as they come into sight, so that 20,000 rows open at once."""

    def __init__(self, rejected: Sequence[Rejected], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = [(item.path, item.reason) for item in rejected]

    def rowCount(self, parent: ModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(HEADINGS)

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        wanted = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        return self._rows[index.row()][index.column()] if wanted else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        across = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return HEADINGS[section] if across else None


def without_path(number: int, item: Rejected) -> Rejected:
    return Rejected(f"File {number}, {NAME_HIDDEN}", redact_names(item.reason, (item.path, item.other)))


class RejectedDialog(QDialog):
    def __init__(self, rejected: Sequence[Rejected], parent: QWidget | None = None, names: bool = True) -> None:
        """`names`: whether paths may be shown; folders are often called after patients."""
        super().__init__(parent)
        self._rejected = list(rejected) if names else [without_path(*item) for item in enumerate(rejected, 1)]
        self.setWindowTitle("Left out")
        self.resize(860, 420)
        count = len(self._rejected)
        text = f"{count:,} file{' was' if count == 1 else 's were'} left out; everything else is open."
        self.table = QTableView()
        self.table.setModel(RejectedModel(self._rejected, self))
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setAccessibleName("Files left out")
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(0, 340)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy list", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(self._copy)
        buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel(text))
        layout.addWidget(self.table)
        layout.addWidget(buttons)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(f"{item.path}\t{item.reason}" for item in self._rejected))
