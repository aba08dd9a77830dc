"""The page "Maintenance" of the Archive screen: check, rebuild, re-index, delete. Shows a MaintenanceState."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QIntValidator
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.desk import Desk
from desktop.state.redaction import redact_names

ROWS = (
    ("check", "Check archive", "Compares every image, vector and text with its checksum. Nothing is changed."),
    ("rebuild", "Rebuild index", "Makes the search index and the score scale anew from the database."),
    (
        "reindex",
        "Re-index",
        "Embeds every image and report again with the current models. Can be cancelled and resumed.",
    ),
)


class MaintenancePage(QWidget):
    """A button and a sentence for each job, and what the last one found."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._state = desk, desk.upkeep.maintenance
        work: dict[str, Callable[[], object]] = {
            "check": desk.upkeep.maintenance.check,
            "rebuild": desk.upkeep.maintenance.rebuild,
            "reindex": desk.reindex.start,
        }
        self.buttons: dict[str, QPushButton] = {}
        self.why = QLabel()
        self.why.setWordWrap(True)
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * theme.GAP)
        grid.setVerticalSpacing(theme.GAP)
        for row, (name, label, about) in enumerate(ROWS):
            button = self.buttons[name] = QPushButton(label)
            button.clicked.connect(lambda checked=False, name=name: self._run(work[name]))
            grid.addWidget(button, row, 0)
            text = self.why if name == "reindex" else QLabel(about)
            text.setProperty("muted", True)
            grid.addWidget(text, row, 1)
        self.case = QLineEdit()
        self.case.setValidator(QIntValidator(1, 2**31 - 1, self))
        self.case.setPlaceholderText("Case number")
        self.case.setMaximumWidth(self.buttons["check"].sizeHint().width())
        self.case.setAccessibleName("Number of the case to delete")
        self.case.textChanged.connect(self._show_deletion)
        self.delete = QPushButton("Delete case…")
        self.delete.clicked.connect(lambda: desk.deletion.ask_about(int(self.case.text())))
        self.delete_patient = QPushButton("Delete all cases of its patient…")
        self.delete_patient.clicked.connect(lambda: desk.deletion.ask_about(int(self.case.text()), whole_patient=True))
        deleting = QHBoxLayout()
        deleting.setSpacing(theme.GAP)
        for widget in (self.case, self.delete, self.delete_patient):
            deleting.addWidget(widget)
        deleting.addStretch(1)
        grid.addLayout(deleting, len(ROWS), 0, 1, 2)
        grid.setColumnStretch(1, 1)
        self.found = QListWidget()
        self.found.setWordWrap(True)
        self.found.setSpacing(3)
        self.found.setAccessibleName("What was found")
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addLayout(grid)
        layout.addWidget(self.found, 1)
        self._state.changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show)
        self._show()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            self._desk.show_problem(error)

    def _show(self) -> None:
        why, not_again = self._state.why_not(), self._desk.reindex.why_not()
        for name, reason in (("check", why), ("rebuild", self._state.why_no_rebuild())):
            self.buttons[name].setEnabled(not reason)
            self.buttons[name].setToolTip(reason)
        self.buttons["reindex"].setEnabled(not why and not not_again)
        self.why.setText(not_again or ROWS[2][2])
        self._show_deletion()
        self.found.clear()
        for well, text in self._state.lines or [(True, f"{self._state.running}…")] * bool(self._state.running):
            item = QListWidgetItem(self._readable(text), self.found)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if not well:
                item.setForeground(QBrush(QColor(theme.current.red)))

    def _readable(self, text: str) -> str:
        """Without the folder of the archive while patient data is hidden."""
        folder = self._desk.archive.place
        hidden = folder is not None and not self._desk.viewport.patient_data_visible
        return redact_names(text, (str(folder),)) if hidden else text

    def _show_deletion(self) -> None:
        for button in (self.delete, self.delete_patient):
            button.setEnabled(self._desk.deletion.can_delete and self.case.hasAcceptableInput())
