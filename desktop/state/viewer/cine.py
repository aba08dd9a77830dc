"""Plays the active stack at its own rate, in a loop. Knows no widgets.

The frame follows from the time that has passed, so that a machine that is too slow leaves frames out and keeps the
rate true.
"""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState

DEFAULT_RATE = 12.0
"""Frames a second for a stack that does not say its own."""
SLOWEST, FASTEST = 0.05, 120.0
FASTER = 1.25


class CineState(QObject):
    """One stack at a time plays: that of the viewport that was active when it was started."""

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
        """Times the true rate."""
        self._began, self._first, self._shown = 0.0, 0, 0
        layout.shown.series_changed.connect(self._stop_for_another)
        layout.changed.connect(self._stop_unseen)

    @property
    def playing(self) -> bool:
        return self.viewport is not None

    def rate(self) -> float:
        """Frames a second of the active stack, as played."""
        playing = self.viewport or self._layout.active
        return min(FASTEST, max(SLOWEST, true_rate(playing) * self.speed))

    def can_play(self) -> bool:
        return self._layout.active.count > 1

    def toggle(self) -> None:
        if self.playing:
            self.stop()
        elif self.can_play():
            self.viewport = self._layout.active
            self._restart()
            self.changed.emit()

    def stop(self) -> None:
        if self.playing:
            self._timer.stop()
            if self.viewport is not None:
                self.viewport.set_status("")
            self.viewport = None
            self.changed.emit()

    def change_speed(self, factor: float) -> None:
        self.speed = min(8.0, max(0.125, self.speed * factor))
        if self.playing:
            self._restart()
        self.changed.emit()

    def tick(self) -> None:
        """Show the frame that is due."""
        if self.viewport is None or self.viewport.count < 2:
            self.stop()
            return
        if self.viewport.index != self._shown:  # the reader scrolled, or chose another series: go on from there
            self._restart()
        due = self._first + int((self._clock() - self._began) * self.rate())
        self.viewport.go_to(due % self.viewport.count)
        self._shown = self.viewport.index

    def _restart(self) -> None:
        if self.viewport is not None:
            self._began, self._first, self._shown = self._clock(), self.viewport.index, self.viewport.index
            self._timer.start(max(1, round(1000 / self.rate())))
            self.viewport.set_status(f"Playing {self.rate():.3g} images/s")

    def _stop_unseen(self) -> None:
        """The layout has become smaller."""
        if self.viewport is not None and self.viewport not in self._layout.viewports:
            self.stop()

    def _stop_for_another(self) -> None:
        if self.viewport is not None and self.viewport.count < 2:
            self.stop()
        else:
            self._restart()


def true_rate(viewport: ViewportState) -> float:
    """Frames a second as the file says (Frame Time, Cine Rate; PS3.3 C.7.6.5), else a calm default."""
    if viewport.series is None:
        return DEFAULT_RATE
    time_ms = viewport.series.frames[viewport.index].image.frame_time
    return 1000 / time_ms if time_ms else DEFAULT_RATE
