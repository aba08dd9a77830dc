"""Asks once before a report is signed, with name and time. Decides nothing."""

from datetime import datetime
from typing import ClassVar

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import (
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.state.report.report import ReportState
from desktop.state.report.signing import Question
from desktop.views.report.check_list import CheckList
from engine.reports.stored_report import local_time
from engine.text.words import counted

OPEN = "Look at these places first; Enter goes to one."
BLOCKED = "Required fields are empty. Enter goes to one."


class SignDialog(QDialog):
    """Name, time and what a signature means; Sign needs a name."""

    WIDTH: ClassVar[int] = 56
    """In average characters."""
    LINES: ClassVar[int] = 10
    """Of checks that are shown at once."""

    def __init__(self, state: ReportState, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._question = state, question
        self.setWindowTitle(question.title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.WIDTH * self.fontMetrics().averageCharWidth())
        self.name = QLineEdit()
        self._names = QStringListModel(question.names, self)
        completer = QCompleter(self._names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.name.setCompleter(completer)
        self.name.textEdited.connect(self._complete)
        self.name.setAccessibleName("Name of the signer")
        self.time = QLabel(local_time(datetime.now().astimezone()))
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Time", self.time)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        open_checks = len(question.checks)
        sign = f"Sign with {counted(open_checks, 'open check')}" if open_checks and not question.blocked else "Sign"
        if open_checks:  # Return must not sign what was not looked at
            self.sign = self.buttons.addButton(sign, QDialogButtonBox.ButtonRole.ActionRole)
            self.sign.clicked.connect(self.accept)
            for button in self.buttons.findChildren(QPushButton):
                button.setAutoDefault(False)
        else:
            self.sign = self.buttons.addButton(sign, QDialogButtonBox.ButtonRole.AcceptRole)
            self.sign.setDefault(True)
        self.checks = CheckList(self.LINES)
        self.checks.show_checks(tuple(sorted(question.checks, key=lambda check: not check.blocks)))
        self.checks.setVisible(bool(question.checks))
        self.checks.chosen.connect(self.reject)
        self.sign.setProperty("primary", True)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        if question.checks:
            self.setMinimumWidth(2 * self.WIDTH * self.fontMetrics().averageCharWidth() * 2 // 3)
            layout.addWidget(QLabel(BLOCKED if question.blocked else OPEN))
            layout.addWidget(self.checks)
            self.checks.setFocus()
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

    def _complete(self, typed: str) -> None:
        """Offer other names than the one that is typed, whose list would take the Return that signs."""
        self._names.setStringList([name for name in self._question.names if name.casefold() != typed.casefold()])

    def _show(self) -> None:
        self.sign.setEnabled(bool(self.name.text().strip()) and not self._question.blocked)

    def _sign(self) -> None:
        self._state.sign(self._question, self.name.text().strip())
