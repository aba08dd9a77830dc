"""The list of rejected files with the reason for each. Shows what it is given."""

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
from typing_extensions import override

from desktop.state.redaction import NAME_HIDDEN, redact_names
from desktop.views.drawing import ModelIndex
from desktop.views.sizes import fit_pixels
from engine.errors import Rejected
from engine.text.words import counted

HEADINGS = ("File", "Reason")
ROOT = QModelIndex()


class RejectedModel(QAbstractTableModel):
    """One row per file; cells are read only when they become visible, so that 20,000 rows open at once."""

    def __init__(self, rejected: Sequence[Rejected], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = [(item.path, item.reason) for item in rejected]

    @override
    def rowCount(self, parent: ModelIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    @override
    def columnCount(self, parent: ModelIndex = ROOT) -> int:
        return 0 if parent.isValid() else len(HEADINGS)

    @override
    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        is_text = role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        return self._rows[index.row()][index.column()] if is_text else None

    @override
    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        is_heading = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return HEADINGS[section] if is_heading else None


def redacted_row(number: int, item: Rejected) -> Rejected:
    """The item without its path, which is replaced by a number."""
    return Rejected(f"File {number}, {NAME_HIDDEN}", redact_names(item.reason, (item.path, item.other)))


class RejectedDialog(QDialog):
    """A table of files and reasons, which can be copied."""

    def __init__(self, rejected: Sequence[Rejected], parent: QWidget | None = None, names: bool = True) -> None:
        """Show these files; with their paths only if `names`, because folder names often contain patient names."""
        super().__init__(parent)
        self._rejected = list(rejected) if names else [redacted_row(*item) for item in enumerate(rejected, 1)]
        self.setWindowTitle("Rejected files")
        fit_pixels(self, 860, 420)
        count = len(self._rejected)
        text = f"{counted(count, 'file')} {'was' if count == 1 else 'were'} rejected."
        self.table = QTableView()
        self.table.setModel(RejectedModel(self._rejected, self))
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.setAccessibleName("Rejected files")
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
