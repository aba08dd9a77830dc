"""The message that the message bar shows. Knows no widgets."""

from PySide6.QtCore import QObject, Signal

from desktop.errors import Message, describe


class MessagesState(QObject):
    """The latest message; a newer one replaces it."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.message: Message | None = None

    def show(self, message: Message) -> None:
        """Replace the message on screen."""
        self.message = message
        self.changed.emit()

    def show_text(self, text: str) -> None:
        """Show a sentence that is not an error."""
        self.show(Message(text))

    def show_error(self, error: BaseException) -> None:
        """Show an error: a UserError as its sentence, any other as a bug with details."""
        self.show(describe(error))

    def dismiss(self) -> None:
        """Remove the message."""
        self.message = None
        self.changed.emit()
