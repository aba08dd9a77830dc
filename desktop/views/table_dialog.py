"""A dialog that edits a table row by row and stays open with the reason while a row is wrong. Knows no content."""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override


class TableDialog(QDialog):
    """Passes what `edited` reads from the table to `store`; a subclass fills the table and adds its buttons."""

    def __init__(
        self,
        title: str,
        headings: Sequence[str],
        stretched: int,
        store: Callable[[Any], object],
        parent: QWidget | None = None,
    ) -> None:
        """`stretched` is the column that takes the room that is left."""
        super().__init__(parent)
        self._store = store
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.table = QTableWidget(0, len(headings))
        self.table.setHorizontalHeaderLabels(list(headings))
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
        self.hint = QLabel()
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setWordWrap(True)
        self.edits = QHBoxLayout()
        self._reached: QWidget = self.table
        """After it, Tab reaches the next button below the table."""
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.hint)
        layout.addWidget(self.table)
        layout.addLayout(self.edits)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)

    def add_edit(self, text: str, work: Callable[[], object]) -> None:
        """Add a button below the table."""
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(work)
        self.edits.addWidget(button)
        self.setTabOrder(self._reached, button)
        self._reached = button

    def edit_last(self) -> None:
        """Edit the first cell of the last row."""
        self.table.setCurrentCell(self.table.rowCount() - 1, 0)
        self.table.edit(self.table.currentIndex())

    def remove(self) -> None:
        """Remove the current row."""
        self.table.removeRow(self.table.currentRow())

    def edited(self) -> Any:
        """What is stored.

        Raises:
            ValueError: a row is wrong; the message gives its number.
        """
        raise NotImplementedError

    @override
    def accept(self) -> None:
        """Store what was edited and close; a wrong row is told instead."""
        try:
            edited = self.edited()
        except ValueError as error:
            self.problem.setText(str(error))
            return
        self._store(edited)
        super().accept()
