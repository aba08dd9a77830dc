"""Tells of a picture only where that changes an answer. Knows nothing of what is asked."""

from collections.abc import Callable

from PySide6.QtCore import QObject, SignalInstance


class ChangeNotifier(QObject):
    """Emits `changed` when `cause` comes and the answer is not what it was when `changed` was emitted last."""

    def __init__(
        self, cause: SignalInstance, changed: SignalInstance, answer: Callable[[], object], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._changed, self._answer = changed, answer
        self._told = answer()
        changed.connect(self._note)
        cause.connect(self._look)

    def _note(self) -> None:
        self._told = self._answer()

    def _look(self) -> None:
        if self._answer() != self._told:
            self._changed.emit()
