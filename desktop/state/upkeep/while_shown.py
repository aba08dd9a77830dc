"""What is read only while a screen shows it. Knows nothing of what is read."""

from PySide6.QtCore import QObject, Signal


class WhileShown(QObject):
    """Reads when it is shown; a subclass also calls `_read` when what it follows has changed."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = False

    def show(self) -> None:
        """Read now, and follow what is read from now on."""
        self._shown = True
        self._read()

    def hide(self) -> None:
        """Stop reading: the screen was closed."""
        self._shown = False

    def _read(self) -> None:
        """Read, if `_shown`."""
        raise NotImplementedError
