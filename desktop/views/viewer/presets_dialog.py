"""Edits the window presets of one modality, one row per preset. Does not store them."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QTableWidget, QTableWidgetItem, QWidget
from typing_extensions import override

from desktop.views.sizes import fit_pixels
from desktop.views.table_dialog import TableDialog
from engine.image.voi import Window

HEADINGS = ("Name", "Center", "Width")
Store = Callable[[tuple[Window, ...] | None], object]


class PresetsDialog(TableDialog):
    """Passes the edited presets to `store`, or None to restore the defaults."""

    def __init__(self, modality: str, windows: Sequence[Window], store: Store, parent: QWidget | None = None) -> None:
        super().__init__(f"Window presets for {modality}", HEADINGS, 0, store, parent)
        fit_pixels(self, 440, 420)
        self.table.setAccessibleName("Window presets")
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.hint.setText("Keys 1 to 9 apply the first nine presets. The Window menu lists all presets.")
        for window in windows:
            self._append(window)
        self.add_edit("Add", self.add)
        self.add_edit("Remove", self.remove)
        self.add_edit("Up", lambda: self.move_row(-1))
        self.add_edit("Down", lambda: self.move_row(1))
        defaults = self.buttons.addButton("Restore defaults", QDialogButtonBox.ButtonRole.ResetRole)
        defaults.clicked.connect(self.restore_defaults)

    def add(self) -> None:
        """Append a preset and edit its name."""
        self._append(Window(40, 400, name="New preset"))
        self.edit_last()

    def move_row(self, by: int) -> None:
        """Move the current row up (-1) or down (1)."""
        row = self.table.currentRow()
        target = row + by
        if row < 0 or not 0 <= target < self.table.rowCount():
            return
        for column in range(len(HEADINGS)):
            one, other = self.table.takeItem(row, column), self.table.takeItem(target, column)
            self.table.setItem(row, column, other)
            self.table.setItem(target, column, one)
        self.table.setCurrentCell(target, max(0, self.table.currentColumn()))

    @override
    def edited(self) -> tuple[Window, ...]:
        """The presets as edited.

        Raises:
            ValueError: a row is not a valid preset; the message gives its number.
        """
        found = []
        for row in range(self.table.rowCount()):
            model = self.table.model()
            name, *numbers = (str(model.index(row, column).data()).strip() for column in range(len(HEADINGS)))
            try:
                center, width = (float(number.replace(",", ".")) for number in numbers)
                window = Window(center, width, model.index(row, 0).data(Qt.ItemDataRole.UserRole), name)
            except ValueError as error:
                raise ValueError(f"Row {row + 1} needs numbers for center and width.") from error
            if not name or not 0 < width < 1e9 or not abs(center) < 1e9:
                raise ValueError(f"Row {row + 1} needs a name and a width greater than 0.")
            found.append(window)
        return tuple(found)

    def restore_defaults(self) -> None:
        """Store the presets that ship with Kindred and close."""
        self._store(None)
        self.done(self.DialogCode.Accepted)

    def _append(self, window: Window) -> None:
        """Add a row; the VOI LUT function, which is not edited, is kept with the items."""
        row = self.table.rowCount()
        self.table.insertRow(row)
        for column, text in enumerate((window.name, f"{window.center:g}", f"{window.width:g}")):
            item = QTableWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, window.function)
            self.table.setItem(row, column, item)
