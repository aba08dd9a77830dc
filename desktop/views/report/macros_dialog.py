"""Edits the macros of reports: a word, and what it expands to with Tab. Does not store them."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

HINT = "Type the word in a report and press Tab. [Name] in the text is a field, [Side: left|right] a choice."
NEWLINE = "⏎"
"""Stands for a line break in a cell."""


class MacrosDialog(QDialog):
    """Passes the edited macros to `store`."""

    def __init__(
        self, macros: Mapping[str, str], store: Callable[[dict[str, str]], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Report macros")
        self.resize(620, 420)
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["Word", "Text"])
        self.table.setAccessibleName("Macros")
        self.table.setTabKeyNavigation(False)
        self.table.setWordWrap(True)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.verticalHeader().hide()
        for word, text in macros.items():
            self._append(word, text)
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setWordWrap(True)
        edits = QHBoxLayout()
        for label, work in (("Add", self.add), ("Remove", self.remove)):
            button = QPushButton(label)
            button.setAutoDefault(False)
            button.clicked.connect(work)
            edits.addWidget(button)
        edits.addStretch()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        hint = QLabel(f"{HINT} {NEWLINE} is a line break.")
        hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.addWidget(hint)
        layout.addWidget(self.table)
        layout.addLayout(edits)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)

    def add(self) -> None:
        """Append a macro and edit its word."""
        self._append("", "")
        self.table.setCurrentCell(self.table.rowCount() - 1, 0)
        self.table.edit(self.table.currentIndex())

    def remove(self) -> None:
        """Remove the current row."""
        self.table.removeRow(self.table.currentRow())

    def macros(self) -> dict[str, str]:
        """The macros as edited.

        Raises:
            ValueError: a row has no word, more than one, or no text; the message gives its number.
        """
        found: dict[str, str] = {}
        model = self.table.model()
        for row in range(self.table.rowCount()):
            word, text = (str(model.index(row, column).data() or "").strip() for column in range(2))
            if not word and not text:
                continue
            if not word or len(word.split()) > 1 or not text:
                raise ValueError(f"Row {row + 1} needs one word and a text.")
            if word in found:
                raise ValueError(f'Row {row + 1} repeats the word "{word}".')
            found[word] = text.replace(NEWLINE, "\n")
        return found

    @override
    def accept(self) -> None:
        try:
            macros = self.macros()
        except ValueError as error:
            self.problem.setText(str(error))
            return
        self._store(macros)
        super().accept()

    def _append(self, word: str, text: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.setItem(row, 0, QTableWidgetItem(word))
        self.table.setItem(row, 1, QTableWidgetItem(text.replace("\n", NEWLINE)))
