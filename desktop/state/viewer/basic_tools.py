"""The tools every viewer has: window, pan, zoom, scroll, and regions for zoom and window. Knows no widgets."""

from collections.abc import Callable
from math import copysign

from PySide6.QtCore import QObject, Signal

from desktop.state.viewer.tools import Gesture, Tool
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point

SCROLL_PIXELS = 8
"""Drag distance of one frame with the scroll tool."""
ZOOM_STEP = 1.01
"""Factor of one logical pixel."""
MOST = 60
"""Logical pixels of one event that still count: a jump of the mouse must not make the image vanish."""


class WindowTool(Tool):
    """Right widens, up brightens."""

    cursor = "cross"

    def move(self, gesture: Gesture) -> None:
        gesture.viewport.drag_window(*gesture.moved)


class PanTool(Tool):
    cursor = "hand"

    def move(self, gesture: Gesture) -> None:
        gesture.viewport.pan_by(*gesture.moved)


class ZoomTool(Tool):
    """Up enlarges, around the place where the drag began."""

    cursor = "up-down"

    def __init__(self) -> None:
        self._anchor: Point = (0.0, 0.0)

    def press(self, gesture: Gesture) -> None:
        self._anchor = gesture.place

    def move(self, gesture: Gesture) -> None:
        down = gesture.moved[1]
        gesture.viewport.zoom_by(ZOOM_STEP ** copysign(min(abs(down), MOST), -down), self._anchor)


class ScrollTool(Tool):
    """One frame every few pixels, down goes on."""

    cursor = "split"

    def __init__(self) -> None:
        self._carry = 0.0

    def press(self, gesture: Gesture) -> None:
        self._carry = 0.0

    def move(self, gesture: Gesture) -> None:
        self._carry += gesture.moved[1] / SCROLL_PIXELS
        steps = int(self._carry)
        self._carry -= steps
        gesture.viewport.scroll(steps)


class Regions(QObject):
    """The rectangle that is being drawn, for whoever paints it."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewport: ViewportState | None = None
        self.start: Point = (0.0, 0.0)
        self.end: Point = (0.0, 0.0)

    def draw(self, viewport: ViewportState | None, start: Point = (0.0, 0.0), end: Point = (0.0, 0.0)) -> None:
        before, self.viewport, self.start, self.end = self.viewport, viewport, start, end
        for touched in (before, viewport):
            if touched is not None:
                touched.overlay_changed.emit()
        self.changed.emit()


class RegionTool(Tool):
    """Draws a rectangle and hands it over on release: `use(viewport, start, end)` in viewport positions."""

    cursor = "cross"

    def __init__(self, regions: Regions, use: Callable[[ViewportState, Point, Point], object]) -> None:
        self._regions, self._use = regions, use

    def press(self, gesture: Gesture) -> None:
        self._regions.draw(gesture.viewport, gesture.place, gesture.place)

    def move(self, gesture: Gesture) -> None:
        if self._regions.viewport is gesture.viewport:  # not given up
            self._regions.draw(gesture.viewport, self._regions.start, gesture.place)

    def release(self, gesture: Gesture) -> None:
        if self._regions.viewport is gesture.viewport:
            self._use(gesture.viewport, self._regions.start, gesture.place)
        self.leave()

    def leave(self) -> None:
        self._regions.draw(None)
