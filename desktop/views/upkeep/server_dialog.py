"""Asks for the address of an archive on a server, and for the password, until the server answers. Decides nothing."""

from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.state.upkeep.opening import OpeningState

EXAMPLE = "postgresql://name@archive.example.org/kindred"
TRYING = "Connecting to the server…"
SECURE = "The connection is encrypted and the server's certificate is checked. No file of Kindred holds the password."


class ServerDialog(QDialog):
    """Stays open while the server is tried, and says why it cannot be used."""

    WIDTH: ClassVar[int] = 84
    """In average characters."""

    def __init__(self, state: OpeningState, can_remember: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setWindowTitle("Open archive on a server")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.WIDTH * self.fontMetrics().averageCharWidth())
        self.address = QLineEdit(state.server)
        self.address.setPlaceholderText(EXAMPLE)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setPlaceholderText("Empty where it is in the keyring, or not needed")
        self.remember = QCheckBox("Remember in the keyring of this account")
        self.remember.setToolTip("Whoever uses this account then opens it without typing.")
        self.remember.setVisible(can_remember)
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(12)
        form.addRow("&Address", self.address)
        form.addRow("&Password", self.password)
        form.addRow("", self.remember)
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setMinimumHeight(3 * self.fontMetrics().height())  # so that nothing moves when it says something
        secure = QLabel(SECURE)
        secure.setProperty("muted", True)
        for label in (self.problem, secure):
            label.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.open_button = self.buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self.open_button.setDefault(True)
        self.open_button.setProperty("primary", True)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(form)
        for widget in (self.problem, secure, self.buttons):
            layout.addWidget(widget)
        self._show_possible()
        self.address.textChanged.connect(self._show_possible)
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        self.rejected.connect(state.give_up)
        state.accepted.connect(self.accept)
        state.refused.connect(self._refuse)

    def _show_possible(self) -> None:
        self.open_button.setEnabled(bool(self.address.text().strip()))

    def _try(self) -> None:
        self.problem.setText(TRYING)
        for field in (self.address, self.password):
            field.setReadOnly(True)  # disabled it would pass the focus to Cancel
        self.open_button.setEnabled(False)
        self._state.connect_to(self.address.text(), self.password.text(), remember=self.remember.isChecked())

    def _refuse(self, reason: str) -> None:
        self.problem.setText(reason)
        for field in (self.address, self.password):
            field.setReadOnly(False)
        self._show_possible()
        self.adjustSize()
        self.address.setFocus()
