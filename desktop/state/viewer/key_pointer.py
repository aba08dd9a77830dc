"""Points on the active image with keys, as the mouse does with its left button. Knows no widgets and no keys."""

from PySide6.QtCore import QObject, Signal

from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.tools import Gesture, Tool, ToolsState
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point

STEP, FINE = 10.0, 1.0
"""Logical pixels of one key."""


class KeyPointer(QObject):
    """A pointer in the active viewport, with which every tool works. It ends with another series or viewport."""

    changed = Signal(object)
    """The viewport to paint again."""

    def __init__(self, tools: ToolsState, layout: LayoutState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tools, self._layout = tools, layout
        self.viewport: ViewportState | None = None
        """Where it is; None: nowhere."""
        self.point: Point = (0.0, 0.0)
        """Logical pixels from the top left corner of the viewport."""
        self._held: Tool | None = None
        """The tool that is dragged."""
        for changed in (layout.active_changed, layout.active_proxy.series_changed):
            changed.connect(self.end)

    def enter(self) -> None:
        """Begin in the middle of the active viewport; from then on press the button there, or release it."""
        viewport = self._layout.active
        if self.viewport is None:
            if viewport.picture is not None:
                self.viewport = viewport
                self.point = (viewport.view.width / 2, viewport.view.height / 2)
                self.move(0.0, 0.0)
        elif self._held is not None:
            held, self._held = self._held, None
            held.release(self._gesture(self.viewport))
        else:
            gesture = self._gesture(self.viewport)
            tool = self._tools.tool_for(gesture)
            tool.press(gesture)
            if tool.by_clicks:
                tool.release(gesture)
            else:
                self._held = tool

    def move(self, right: float, down: float) -> None:
        """Move it by logical pixels, up to the edge of the viewport; a drag goes on beyond it."""
        viewport = self.viewport
        if viewport is None:
            return
        x, y = self.point[0] + right, self.point[1] + down
        self.point = min(viewport.view.width - 1.0, max(0.0, x)), min(viewport.view.height - 1.0, max(0.0, y))
        gesture = self._gesture(viewport, (right, down))
        if self._held is not None:
            self._held.move(gesture)
        else:
            self._tools[self._tools.chosen].hover(gesture)
        viewport.set_mouse_point(gesture.image_point)
        self._tools.moved.emit(gesture)
        self.changed.emit(viewport)

    def cancel(self) -> None:
        """Discard what is drawn or dragged; with nothing of that, end."""
        if self._held is None and not self._tools[self._tools.chosen].drawing:
            self.end()
        else:
            self._tools.cancel()
            self._held = None

    def end(self) -> None:
        """Remove it, and discard what was begun."""
        viewport, self.viewport = self.viewport, None
        if viewport is not None:
            self._tools.cancel()
            self._held = None
            viewport.set_mouse_point(None)
            self.changed.emit(viewport)

    def _gesture(self, viewport: ViewportState, moved: Point = (0.0, 0.0)) -> Gesture:
        return Gesture(viewport, self.point, viewport.to_image(self.point), moved)
