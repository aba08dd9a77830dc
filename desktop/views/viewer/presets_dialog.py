"""The windows on the number keys, edited: a row a preset, in the order of the keys. Its owner gets the whole list."""

from collections.abc import Callable, Sequence

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

from engine.image.voi import Window

HEADINGS = ("Name", "Center", "Width")
Keep = Callable[[tuple[Window, ...] | None], object]


class PresetsDialog(QDialog):
    """`keep` gets the windows, or None for those that ship with Kindred. A row that makes no window is left out."""

    def __init__(self, modality: str, windows: Sequence[Window], keep: Keep, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keep = keep
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Window presets for {modality}")
        self.resize(440, 420)
        self.table = QTableWidget(0, len(HEADINGS))
        self.table.setHorizontalHeaderLabels(HEADINGS)
        self.table.setAccessibleName("Presets")
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for window in windows:
            self._append(window)
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setWordWrap(True)
        edits = QHBoxLayout()
        for text, does in (
            ("Add", self.add),
            ("Remove", self.remove),
            ("Up", lambda: self.move_row(-1)),
            ("Down", lambda: self.move_row(1)),
        ):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(does)
            edits.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        shipped = buttons.addButton("As shipped", QDialogButtonBox.ButtonRole.ResetRole)
        shipped.clicked.connect(self.take_shipped)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("The first nine are on the keys 1 to 9; all are in the menu Window."))
        layout.addWidget(self.table)
        layout.addLayout(edits)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)

    def add(self) -> None:
        self._append(Window(40, 400, name="New preset"))
        self.table.setCurrentCell(self.table.rowCount() - 1, 0)
        self.table.edit(self.table.currentIndex())

    def remove(self) -> None:
        self.table.removeRow(self.table.currentRow())

    def move_row(self, by: int) -> None:
        here = self.table.currentRow()
        there = here + by
        if here < 0 or not 0 <= there < self.table.rowCount():
            return
        for column in range(len(HEADINGS)):
            one, other = self.table.takeItem(here, column), self.table.takeItem(there, column)
            self.table.setItem(here, column, other)
            self.table.setItem(there, column, one)
        self.table.setCurrentCell(there, max(0, self.table.currentColumn()))

    def windows(self) -> tuple[Window, ...]:
        """What the rows say.

        Raises:
            ValueError: a row is no window; names it.
        """
        found = []
        for row in range(self.table.rowCount()):
            model = self.table.model()
            name, *numbers = (str(model.index(row, column).data()).strip() for column in range(len(HEADINGS)))
            try:
                center, width = (float(number.replace(",", ".")) for number in numbers)
                made = Window(center, width, model.index(row, 0).data(Qt.ItemDataRole.UserRole), name)
            except ValueError as error:
                raise ValueError(f"Row {row + 1} needs two numbers, center and width.") from error
            if not name or not 0 < width < 1e9 or not abs(center) < 1e9:
                raise ValueError(f"Row {row + 1} needs a name and a width above 0.")
            found.append(made)
        return tuple(found)

    def accept(self) -> None:
        """Keeps the list, or says which row is wrong and stays."""
        try:
            self._keep(self.windows())
        except ValueError as error:
            self.problem.setText(str(error))
            return
        super().accept()

    def take_shipped(self) -> None:
        self._keep(None)
        super().accept()

    def _append(self, window: Window) -> None:
        """Its function, which is not edited, stays with the name."""
        row = self.table.rowCount()
        self.table.insertRow(row)
        for column, text in enumerate((window.name, f"{window.center:g}", f"{window.width:g}")):
            item = QTableWidgetItem(text)
            item.setData(Qt.ItemDataRole.UserRole, window.function)
            self.table.setItem(row, column, item)
