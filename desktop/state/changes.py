"""Emits a signal only when an observed value has changed. Does not know what the value means."""

from collections.abc import Callable

from PySide6.QtCore import QObject, SignalInstance


class ChangeNotifier(QObject):
    """Reads a value whenever `trigger` is emitted, and emits `changed` if it differs from the last one.

    When somebody else emits `changed`, the value at that moment counts as the last one.
    """

    def __init__(
        self, trigger: SignalInstance, changed: SignalInstance, value: Callable[[], object], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._changed, self._value = changed, value
        self._last = value()
        changed.connect(self._remember)
        trigger.connect(self._compare)

    def _remember(self) -> None:
        self._last = self._value()

    def _compare(self) -> None:
        if self._value() != self._last:
            self._changed.emit()
