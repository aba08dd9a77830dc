"""The one message that the message bar shows. Knows no widgets and starts nothing."""

from PySide6.QtCore import QObject, Signal

from desktop.errors import Message, describe


class MessagesState(QObject):
    """The latest message; a newer one takes its place."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.message: Message | None = None

    def show(self, message: Message) -> None:
        self.message = message
        self.changed.emit()

    def show_text(self, text: str) -> None:
        self.show(Message(text))

    def show_error(self, error: BaseException) -> None:
        self.show(describe(error))

    def dismiss(self) -> None:
        self.message = None
        self.changed.emit()
