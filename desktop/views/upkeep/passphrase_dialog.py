"""Asks for the passphrase of what is encrypted, until it is right or the user leaves it locked. Decides nothing."""

from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.state.upkeep.unlocking import Asked, UnlockingState

LOST = "Without the passphrase nothing can be read."


class PassphraseDialog(QDialog):
    """Stays open while a passphrase is tried, and says why it does not unlock."""

    WIDTH: ClassVar[int] = 72
    """In average characters."""

    def __init__(self, state: UnlockingState, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setWindowTitle("Passphrase")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(self.WIDTH * self.fontMetrics().averageCharWidth())
        text = QLabel(asked.text)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName("Passphrase")
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.remember = QCheckBox("Remember in the keyring of this account")
        self.remember.setToolTip("Whoever uses this account then opens it without typing.")
        self.remember.setVisible(state.can_remember)
        lost = QLabel(LOST)
        lost.setProperty("muted", True)
        for label in (text, self.problem, lost):
            label.setWordWrap(True)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self.unlock = self.buttons.addButton("Unlock", QDialogButtonBox.ButtonRole.AcceptRole)
        self.unlock.setDefault(True)
        self.unlock.setProperty("primary", True)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        for widget in (text, self.field, self.remember, self.problem, lost, self.buttons):
            layout.addWidget(widget)
        self.problem.setMinimumHeight(self.fontMetrics().height())  # so that nothing moves when it says something
        self.unlock.setEnabled(False)
        self.field.textChanged.connect(lambda typed: self.unlock.setEnabled(bool(typed)))
        self.buttons.accepted.connect(self._try)
        self.buttons.rejected.connect(self.reject)
        self.rejected.connect(state.leave_locked)
        state.unlocked.connect(self.accept)
        state.refused.connect(self._refuse)

    def _try(self) -> None:
        self.field.setReadOnly(True)  # disabled it would pass the focus to Cancel
        self.unlock.setEnabled(False)
        self._state.unlock(self.field.text(), remember=self.remember.isChecked())

    def _refuse(self, reason: str) -> None:
        self.problem.setText(reason)
        self.field.setReadOnly(False)
        self.unlock.setEnabled(True)
        self.field.selectAll()
        self.field.setFocus()
