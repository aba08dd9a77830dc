"""Lets workers wait while the UI thread is busy. Knows neither the work nor who starts it."""

import threading
import time

from PySide6.QtCore import QObject, Qt, QTimer

BEAT_MS = 5
BUSY_AFTER = 0.01
"""Seconds without a beat, so in one event or in several without a pause, after which workers give way."""
LONGEST = 0.1
"""Seconds that a worker waits at most each time it asks, so that work goes on however busy the UI thread is."""


class RightOfWay(QObject):
    """A worker that asks now and then stands aside while the UI thread, where this is made, has a long event to end.

    Otherwise they share the interpreter, which Qt gives away and takes back at each call, so that an event takes
    several times its own work. A timer tells that the UI thread is free; it runs only while there is work.
    """

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._last = time.perf_counter()
        self._free = threading.Event()
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def watch(self, work: bool) -> None:
        """Whether there is work that may have to give way."""
        if work and not self._timer.isActive():
            self._beat()
            self._timer.start()
        elif not work:
            self._timer.stop()
            self._beat()

    def _beat(self) -> None:
        self._last = time.perf_counter()
        self._free.set()

    def give(self) -> None:
        """Called by a worker where it can wait."""
        if time.perf_counter() - self._last > BUSY_AFTER:
            self._free.clear()
            self._free.wait(LONGEST)
