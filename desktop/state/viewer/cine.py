"""Cine: plays the active stack at its frame rate, in a loop. Knows no widgets.

The frame follows from the elapsed time, so a slow machine skips frames and keeps the rate.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState

DEFAULT_RATE = 12.0
"""Frames per second of a stack whose header gives no rate."""
MIN_RATE, MAX_RATE = 0.05, 120.0
"""Frames per second."""
SPEED_STEP = 1.25
"""Factor of one step faster or slower."""


class CineState(QObject):
    """Plays one stack at a time: that of the viewport that was active at the start."""

    changed = Signal()

    def __init__(
        self, layout: LayoutState, clock: Callable[[], float] = time.monotonic, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._layout, self._clock = layout, clock
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.tick)
        self.viewport: ViewportState | None = None
        self.speed = 1.0
        """Factor of the stack's own rate."""
        self._began, self._first, self._shown = 0.0, 0, 0
        layout.active_proxy.series_changed.connect(self._stop_for_another)
        layout.changed.connect(self._stop_unseen)

    @property
    def playing(self) -> bool:
        """A stack is being played."""
        return self.viewport is not None

    def rate(self) -> float:
        """Frames per second of the stack that plays, else of the active one."""
        playing = self.viewport or self._layout.active
        return min(MAX_RATE, max(MIN_RATE, frame_rate(playing) * self.speed))

    def can_play(self) -> bool:
        """The active stack has several frames."""
        return self._layout.active.count > 1

    def toggle(self) -> None:
        """Start or stop."""
        if self.playing:
            self.stop()
        elif self.can_play():
            self.viewport = self._layout.active
            self._restart()
            self.changed.emit()

    def stop(self) -> None:
        """Stop on the frame shown."""
        if self.playing:
            self._timer.stop()
            if self.viewport is not None:
                self.viewport.set_status("")
            self.viewport = None
            self.changed.emit()

    def change_speed(self, factor: float) -> None:
        """Multiply the speed; it stays between an eighth and eight times the stack's own rate."""
        self.speed = min(8.0, max(0.125, self.speed * factor))
        if self.playing:
            self._restart()
        self.changed.emit()

    def tick(self) -> None:
        """Show the frame that is due."""
        if self.viewport is None or self.viewport.count < 2:
            self.stop()
            return
        if self.viewport.index != self._shown:  # the user scrolled or chose another series: continue from there
            self._restart()
        due = self._first + int((self._clock() - self._began) * self.rate())
        self.viewport.go_to(due % self.viewport.count)
        self._shown = self.viewport.index

    def _restart(self) -> None:
        if self.viewport is not None:
            self._began, self._first, self._shown = self._clock(), self.viewport.index, self.viewport.index
            self._timer.start(max(1, round(1000 / self.rate())))
            self.viewport.set_status(f"Cine {self.rate():.3g} fps")

    def _stop_unseen(self) -> None:
        """Stop when the viewport went out of sight with a smaller grid."""
        if self.viewport is not None and self.viewport not in self._layout.viewports:
            self.stop()

    def _stop_for_another(self) -> None:
        """Stop when the new series has one frame, else play that."""
        if self.viewport is not None and self.viewport.count < 2:
            self.stop()
        else:
            self._restart()


def frame_rate(viewport: ViewportState) -> float:
    """Frames per second from Frame Time or Cine Rate (PS3.3 C.7.6.5), else DEFAULT_RATE."""
    if viewport.series is None:
        return DEFAULT_RATE
    time_ms = viewport.series.frames[viewport.index].image.frame_time
    return 1000 / time_ms if time_ms else DEFAULT_RATE
