"""Measures one series in the real window for `benchmarks.viewer` and prints the times as JSON.

Every time ends when the window has painted the requested image. Run by `benchmarks.viewer`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop.app import App, build, make_application
from desktop.state.pictures.picture import ScreenPicture
from desktop.views.viewer.viewport import ViewportView

SCROLLS, DRAGS = 240, 240
TIMEOUT = 120.0


class Painted(QObject):
    """Records which picture a viewport painted last; painting has ended when the event loop resumes."""

    def __init__(self, view: ViewportView) -> None:
        super().__init__(view)
        self._view = view
        self.count = 0
        self.picture: ScreenPicture | None = None
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.count += 1
            self.picture = self._view.state.picture
        return False


def wait(until: Callable[[], bool], timeout: float = TIMEOUT) -> None:
    """Process events until a condition holds.

    Raises TimeoutError.
    """
    end = time.perf_counter() + timeout
    while not until():
        if time.perf_counter() > end:
            raise TimeoutError("the window did not reach the expected state in time")
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def resident() -> int:
    """Resident memory of this process in bytes."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


def percentiles(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and maximum."""
    ordered = sorted(times)
    return {"median": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)], "most": ordered[-1]}


class Driver:
    """Opens a series in the window, scrolls it and drags its window, and measures each."""

    def __init__(self, app: App) -> None:
        self.app, self.state = app, app.desk.viewport
        self.view = next(view for view in app.window.findChildren(ViewportView) if view.state is self.state)
        self.painted = Painted(self.view)
        self.indices: list[int] = []
        self.state.picture_changed.connect(self._note)
        self.state.series_changed.connect(self._note)

    def _note(self) -> None:
        """Record the index on screen once the series is completely listed; before that, indices may still change."""
        if self.state.picture is not None and self.state.series is not None and not self.state.series.growing:
            self.indices.append(self.state.picture.index)

    def open(self, folder: Path) -> dict[str, Any]:
        """Measure the first slice, all slices and memory; the user does not scroll meanwhile."""
        desk = self.app.desk
        before, start, busy = resident(), time.perf_counter(), time.process_time()
        desk.open([folder])
        wait(lambda: bool(self.indices) and self.painted.picture is not None)
        first = time.perf_counter() - start
        series = self.state.series
        assert series is not None
        pixel_bytes = sum(frame.image.rows * frame.image.columns * 2 for frame in series.frames)
        kept = min(len(series.frames), desk.frames.limit // (pixel_bytes // len(series.frames)))
        wait(lambda: desk.frames.size >= kept * pixel_bytes // len(series.frames))  # must be cheap: runs at each event
        every, every_cpu = time.perf_counter() - start, time.process_time() - busy
        wait(desk.background.idle)
        held = resident() - before
        return {
            "first_s": first,
            "all_s": every,
            "all_cpu": every_cpu,
            "jumps": len(set(self.indices)) - 1,
            "memory_ratio": held / pixel_bytes,
            "pixel_mb": pixel_bytes / 1e6,
        }

    def scroll(self) -> dict[str, float]:
        """Milliseconds per wheel step until its slice is painted; the direction reverses at both ends."""
        times, step, busy = [], -1, time.process_time()
        for _ in range(SCROLLS):
            step = 1 if self.state.index == self.state.count - 1 else -1 if self.state.index == 0 else step
            wanted = self.state.index - step
            start = time.perf_counter()
            self._send_wheel(step)
            wait(partial(self._has_painted, wanted))
            times.append(1000 * (time.perf_counter() - start))
        return percentiles(times) | {"cpu": 1000 * (time.process_time() - busy) / SCROLLS}

    def _has_painted(self, index: int) -> bool:
        return self.painted.picture is not None and self.painted.picture.index == index

    def drag(self) -> dict[str, float]:
        """Milliseconds per move of the window tool by a few pixels until the picture at that window is painted."""
        point = QPointF(self.view.width() / 2, self.view.height() / 2)
        self._mouse(QEvent.Type.MouseButtonPress, point, Qt.MouseButton.RightButton)
        times, busy = [], time.process_time()
        for number in range(DRAGS):
            point += QPointF(3 if number // 40 % 2 == 0 else -3, 1)
            start = time.perf_counter()
            self._mouse(QEvent.Type.MouseMove, point, Qt.MouseButton.NoButton)
            wait(lambda: self.painted.picture is not None and self.painted.picture.window == self.state.window)
            times.append(1000 * (time.perf_counter() - start))
        self._mouse(QEvent.Type.MouseButtonRelease, point, Qt.MouseButton.RightButton)
        return percentiles(times) | {"cpu": 1000 * (time.process_time() - busy) / DRAGS}

    def _send_wheel(self, step: int) -> None:
        centre = QPointF(self.view.width() / 2, self.view.height() / 2)
        event = QWheelEvent(
            centre,
            self.view.mapToGlobal(centre),
            QPoint(),
            QPoint(0, 120 * step),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.view, event)

    def _mouse(self, kind: QEvent.Type, point: QPointF, button: Qt.MouseButton) -> None:
        held = Qt.MouseButton.RightButton if kind != QEvent.Type.MouseButtonRelease else Qt.MouseButton.NoButton
        screen_point = self.view.mapToGlobal(point)
        QApplication.sendEvent(
            self.view, QMouseEvent(kind, point, screen_point, button, held, Qt.KeyboardModifier.NoModifier)
        )


def main(folder: str, spawned: float) -> None:
    """Measure the series in `folder`; `spawned`: when the parent started this process, by `time.monotonic`."""
    with tempfile.TemporaryDirectory() as home:
        make_application()
        app = build(Path(home), "benchmark")
        app.window.show()
        driver = Driver(app)
        app.desk.begin()
        wait(lambda: driver.painted.count > 0)
        usable, usable_cpu = time.monotonic() - spawned, time.process_time()
        wait(lambda: app.desk.archive.bundle is not None and app.desk.background.idle())
        measurements = driver.open(Path(folder))
        measurements |= {"usable_s": usable, "usable_cpu": usable_cpu, "scroll": driver.scroll(), "drag": driver.drag()}
        app.close()
    print(json.dumps(measurements))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
