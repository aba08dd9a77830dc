"""Makes workers yield while the UI thread is busy. Does not know the work or who starts it."""

import threading
import time

from PySide6.QtCore import QObject, Qt, QTimer

HEARTBEAT_MS = 5
BUSY_AFTER = 0.01
"""Seconds without a heartbeat, in one event or in several without a pause, after which workers yield."""
LONGEST = 0.1
"""Longest wait of a worker in seconds each time it yields, so that work continues however busy the UI thread is."""


class Yielding(QObject):
    """Lets workers wait while a long event keeps the UI thread, where this object is created, busy.

    Without it they compete for the interpreter lock, which Qt releases and takes again at each call, so that an event
    takes several times as long. A timer marks the UI thread as responsive; it runs only while there is work.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._last = time.perf_counter()
        self._responsive = threading.Event()
        self._timer = QTimer(self, interval=HEARTBEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._heartbeat)

    def set_active(self, active: bool) -> None:
        """Start or stop the heartbeat; active while there is background work."""
        if active and not self._timer.isActive():
            self._heartbeat()
            self._timer.start()
        elif not active:
            self._timer.stop()
            self._heartbeat()

    def _heartbeat(self) -> None:
        self._last = time.perf_counter()
        self._responsive.set()

    def wait_while_busy(self) -> None:
        """Called by a worker where it can wait."""
        if time.perf_counter() - self._last > BUSY_AFTER:
            self._responsive.clear()
            self._responsive.wait(LONGEST)
