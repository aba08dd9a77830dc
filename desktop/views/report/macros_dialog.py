"""Edits the macros of reports: a word, and what it expands to with Tab. Does not store them."""

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QTableWidgetItem, QWidget
from typing_extensions import override

from desktop.views.sizes import fit_pixels
from desktop.views.table_dialog import TableDialog

HINT = "Type the word in a report and press Tab. [Name] in the text is a field, [Side: left|right] a choice."
NEWLINE = "⏎"
"""Stands for a line break in a cell."""


class MacrosDialog(TableDialog):
    """Passes the edited macros to `store`."""

    def __init__(
        self, macros: Mapping[str, str], store: Callable[[dict[str, str]], object], parent: QWidget | None = None
    ) -> None:
        super().__init__("Report macros", ("Word", "Text"), 1, store, parent)
        fit_pixels(self, 620, 420)
        self.table.setAccessibleName("Macros")
        self.table.setWordWrap(True)
        self.table.verticalHeader().hide()
        self.hint.setText(f"{HINT} {NEWLINE} is a line break.")
        self.hint.setWordWrap(True)
        for word, text in macros.items():
            self._append(word, text)
        self.add_edit("Add", self.add)
        self.add_edit("Remove", self.remove)
        self.edits.addStretch()

    def add(self) -> None:
        """Append a macro and edit its word."""
        self._append("", "")
        self.edit_last()

    @override
    def edited(self) -> dict[str, str]:
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

    def _append(self, word: str, text: str) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        self.table.setItem(row, 0, QTableWidgetItem(word))
        self.table.setItem(row, 1, QTableWidgetItem(text.replace("\n", NEWLINE)))
