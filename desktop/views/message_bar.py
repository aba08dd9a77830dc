"""The message line above the images, with what helps, or details to copy for a bug. Shows a MessagesState."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop import theme
from desktop.errors import BUG, INFO, PROBLEM
from desktop.state.messages import MessagesState


class MessageBar(QFrame):
    """One message at a time, colored by its kind; hidden when there is none."""

    left = Signal()
    """The message is gone that had the keyboard."""

    def __init__(self, state: MessagesState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.text.setAccessibleName("Message")
        self.copy = QPushButton("Copy details")
        self.copy.setToolTip("Copy the technical details for a bug report")
        self.copy.clicked.connect(self._copy)
        self.action = QPushButton()
        self.action.clicked.connect(self._run)
        self.close_button = QToolButton()
        self.close_button.setToolTip("Dismiss message (Esc)")
        self.close_button.setAccessibleName("Dismiss message")
        self.close_button.clicked.connect(state.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 5, 6, 5)
        for widget in (self.text, self.action, self.copy, self.close_button):
            layout.addWidget(widget)
        dismiss = QShortcut(QKeySequence("Esc"), self, state.dismiss)
        dismiss.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        state.changed.connect(self._show)
        self.hide()

    def focus_action(self) -> None:
        """Move the keyboard to what helps, else to what closes the message."""
        useful = (button for button in (self.action, self.copy) if button.isVisibleTo(self))
        next(useful, self.close_button).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show(self) -> None:
        message = self._state.message
        self.close_button.setIcon(theme.icon("close"))
        if message is None and self.isAncestorOf(QApplication.focusWidget() or self.window()):
            self.left.emit()
        self.setVisible(message is not None)
        if message is None:
            return
        color = {INFO: theme.current.accent, PROBLEM: theme.current.amber, BUG: theme.current.red}[message.kind]
        self.setStyleSheet(f"MessageBar {{ background: {theme.current.raised}; border-left: 3px solid {color}; }}")
        self.text.setText(message.text)
        self.copy.setVisible(bool(message.details))
        self.action.setText(message.action)
        self.action.setVisible(bool(message.action))

    def _run(self) -> None:
        message = self._state.message
        self._state.dismiss()
        if message is not None and message.run is not None:
            message.run()

    def _copy(self) -> None:
        if self._state.message:
            QGuiApplication.clipboard().setText(f"{self._state.message.text}\n\n{self._state.message.details}")
