"""Coalesces many requests into one call. Does not know what is called."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


class Coalescer(QTimer):
    """Calls a function once, `wait` milliseconds after the first of the requests that arrive until then.

    With 0 the call follows when control returns to the event loop, since one event may change many states.
    """

    def __init__(self, function: Callable[[], None], parent: QObject, wait: int = 0) -> None:
        super().__init__(parent, singleShot=True, interval=wait)
        self.timeout.connect(function)

    def request(self) -> None:
        """Schedule the call, unless one is already scheduled."""
        if not self.isActive():
            self.start()
