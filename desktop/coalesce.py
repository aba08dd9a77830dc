"""One call for many requests. Knows nothing of what is called."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Soon(QTimer):
    """Calls a function once, `wait` milliseconds after the first of the requests that come until then.

    With 0 it is called when the event loop comes back: one event may change many states.
    """

    def __init__(self, function: Callable[[], None], parent: QObject, wait: int = 0) -> None:
        super().__init__(parent, singleShot=True, interval=wait)
        self.timeout.connect(function)

    def ask(self) -> None:
        if not self.isActive():
            self.start()
