"""Asks once before a report is signed, with name and time. Decides nothing."""

from datetime import datetime
from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.state.report.report import ReportState
from desktop.state.report.signing import Question
from engine.reports.stored_report import local_time


class SignDialog(QDialog):
    """Name, time and what a signature means; Sign needs a name."""

    WIDTH: ClassVar[int] = 56
    """In average characters."""

    def __init__(self, state: ReportState, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._question = state, question
        self.setWindowTitle(question.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.WIDTH * self.fontMetrics().averageCharWidth())
        self.name = QLineEdit(question.name)
        self.name.setAccessibleName("Name of the signer")
        self.time = QLabel(local_time(datetime.now().astimezone()))
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Time", self.time)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.sign = self.buttons.addButton("Sign", QDialogButtonBox.ButtonRole.AcceptRole)
        self.sign.setDefault(True)
        self.sign.setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        for note in question.notes:
            line = QLabel(note)
            line.setWordWrap(True)
            line.setProperty("muted", True)
            layout.addWidget(line)
        layout.addWidget(self.buttons)
        self.name.textChanged.connect(self._show)
        self.accepted.connect(self._sign)
        self._show()

    def _show(self) -> None:
        self.sign.setEnabled(bool(self.name.text().strip()))

    def _sign(self) -> None:
        self._state.sign(self._question, self.name.text().strip())
