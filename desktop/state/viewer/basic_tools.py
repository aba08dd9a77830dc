"""The tools every viewer has: window, pan, zoom, scroll, a rubber band for zoom and window, and a magnifier.

Knows no widgets.
"""

from collections.abc import Callable
from math import copysign

from PySide6.QtCore import QObject, Signal
from typing_extensions import override

from desktop.state.viewer.tools import Gesture, Tool, ToolsState
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point

SCROLL_PIXELS = 8
"""Drag distance of one frame with the scroll tool."""
ZOOM_STEP = 1.01
"""Zoom factor of one logical pixel."""
MAX_MOVE = 60
"""Logical pixels of one event that count at most: a jump of the mouse must not make the image vanish."""
LENS_RADIUS = 120.0
"""Of the magnifier, in logical pixels."""
LEAST_LENS, MOST_LENS = 2.0, 4.0
"""How many times the magnifier enlarges what is on screen."""
SEEN = 3.0
"""Device pixels to which the magnifier enlarges one pixel of the image, within these limits."""


class WindowTool(Tool):
    """Changes the window: right widens, up brightens."""

    cursor = "cross"

    @override
    def move(self, gesture: Gesture) -> None:
        gesture.viewport.drag_window(*gesture.moved)


class PanTool(Tool):
    """Moves the image."""

    cursor = "hand"

    @override
    def move(self, gesture: Gesture) -> None:
        gesture.viewport.pan_by(*gesture.moved)


class ZoomTool(Tool):
    """Zooms around the point where the drag began; up enlarges."""

    cursor = "up-down"

    def __init__(self) -> None:
        self._anchor: Point = (0.0, 0.0)

    @override
    def press(self, gesture: Gesture) -> None:
        self._anchor = gesture.screen_point

    @override
    def move(self, gesture: Gesture) -> None:
        down = gesture.moved[1]
        gesture.viewport.zoom_by(ZOOM_STEP ** copysign(min(abs(down), MAX_MOVE), -down), self._anchor)


class ScrollTool(Tool):
    """Scrolls one frame every few pixels; down moves on."""

    cursor = "split"

    def __init__(self) -> None:
        self._remainder = 0.0

    @override
    def press(self, gesture: Gesture) -> None:
        self._remainder = 0.0

    @override
    def move(self, gesture: Gesture) -> None:
        self._remainder += gesture.moved[1] / SCROLL_PIXELS
        steps = int(self._remainder)
        self._remainder -= steps
        gesture.viewport.scroll(steps)


class RubberBand(QObject):
    """The rectangle that is being dragged, for the painters."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewport: ViewportState | None = None
        """Where it is being dragged; None: nowhere."""
        self.start: Point = (0.0, 0.0)
        """A corner in screen points."""
        self.end: Point = (0.0, 0.0)
        """The opposite corner."""

    def draw(self, viewport: ViewportState | None, start: Point = (0.0, 0.0), end: Point = (0.0, 0.0)) -> None:
        """Show it in a viewport; None removes it."""
        before, self.viewport, self.start, self.end = self.viewport, viewport, start, end
        for touched in (before, viewport):
            if touched is not None:
                touched.overlay_changed.emit()
        self.changed.emit()


class RubberBandTool(Tool):
    """Drags a rectangle and hands it over on release: `use(viewport, start, end)` in screen points."""

    cursor = "cross"

    def __init__(self, band: RubberBand, use: Callable[[ViewportState, Point, Point], object]) -> None:
        self._band, self._use = band, use

    @override
    def press(self, gesture: Gesture) -> None:
        self._band.draw(gesture.viewport, gesture.screen_point, gesture.screen_point)

    @override
    def move(self, gesture: Gesture) -> None:
        if self._band.viewport is gesture.viewport:  # not cancelled
            self._band.draw(gesture.viewport, self._band.start, gesture.screen_point)

    @override
    def release(self, gesture: Gesture) -> None:
        if self._band.viewport is gesture.viewport:
            self._use(gesture.viewport, self._band.start, gesture.screen_point)
        self.cancel()

    @override
    def cancel(self) -> None:
        self._band.draw(None)


def add_basic_tools(tools: ToolsState, band: RubberBand) -> None:
    """Add the tools that every viewer has; the first one is chosen."""
    tools.add("window", WindowTool())
    tools.add("pan", PanTool())
    tools.add("zoom", ZoomTool())
    tools.add("scroll", ScrollTool())
    tools.add("zoom_to_rectangle", RubberBandTool(band, ViewportState.zoom_to))
    tools.add("window_from_roi", RubberBandTool(band, ViewportState.auto_window_from_roi))


class MagnifierState(QObject):
    """A lens that follows the mouse over any viewport, whatever the tool. Window and zoom stay as they are."""

    changed = Signal(object)
    """The viewport to paint again."""

    def __init__(self, tools: ToolsState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.on = False
        self.viewport: ViewportState | None = None
        """Where the mouse is or was last; None: nowhere yet."""
        self.point: Point = (0.0, 0.0)
        """Screen point of the mouse in it."""
        tools.moved.connect(self._follow)
        tools.hold_ended.connect(lambda: self.show(False))

    def toggle(self) -> None:
        """Show or hide the lens."""
        self.show(not self.on)

    def show(self, on: bool) -> None:
        """Show the lens where the mouse is, or hide it."""
        if on != self.on:
            self.on = on
            self.changed.emit(self.viewport)

    def _follow(self, gesture: Gesture) -> None:
        before, self.viewport, self.point = self.viewport, gesture.viewport, gesture.screen_point
        if self.on:
            for touched in {before, self.viewport}:
                self.changed.emit(touched)


def lens_factor(scale: float) -> float:
    """How many times the magnifier enlarges an image that is shown at `scale` device pixels per image pixel."""
    return min(MOST_LENS, max(LEAST_LENS, SEEN / scale))
