"""Protocol of the tools of the left mouse button, and which tool is chosen. Knows no widgets.

A new tool is a class with `press`, `move` and `release`, one `tools.add(name, tool)` in desk.py, and one row made by
`commands.image.tool(name, ...)`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.state.viewer.viewport import ViewportState
from engine.study import Point


@dataclass(frozen=True, slots=True)
class Gesture:
    """One mouse event over a viewport."""

    viewport: ViewportState
    screen_point: Point
    """Logical pixels from the viewport's top left corner."""
    image_point: Point | None
    """Image (column, row), continuous, as geometry.py defines it; may lie outside the image. None: no picture."""
    moved: Point = (0.0, 0.0)
    """Logical pixels (right, down) since the event before."""
    shift: bool = False
    control: bool = False


class Tool:
    """Does nothing; tools override what they need. Coordinates are in the gesture, changes go to states."""

    cursor = "arrow"
    """"arrow", "cross", "hand", "up-down" or "split"."""
    by_clicks = False
    """Works by clicks; the pointer of the keyboard then releases the button where it pressed it."""

    @property
    def drawing(self) -> bool:
        """Whether something was begun that needs another click."""
        return False

    def press(self, gesture: Gesture) -> None:
        """The button was pressed."""

    def move(self, gesture: Gesture) -> None:
        """The mouse moved with the button held."""

    def release(self, gesture: Gesture) -> None:
        """The button was released."""

    def hover(self, gesture: Gesture) -> None:
        """The mouse moved without a button; only the chosen tool gets these."""

    def double_click(self, gesture: Gesture) -> bool:
        """Return True when the tool handled it; else the viewport is maximized."""
        return False

    def cancel(self) -> None:
        """Discard what was begun: another tool was chosen, or the user cancelled."""


Grab = Callable[[Gesture], Tool | None]


class ToolsState(QObject):
    """The tools by name, and the chosen one, which is the same in all viewports."""

    changed = Signal()
    moved = Signal(object)
    """A Gesture: the mouse moved over a viewport, with or without a button."""
    hold_ended = Signal()
    """The key of a command that lasts while it is held was released, or the viewport lost the keyboard."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tools: dict[str, Tool] = {}
        self.chosen = ""
        self._grabbed: Tool | None = None
        """The tool that grabbed the last drag."""
        self.grabs: list[Grab] = []
        """Asked in turn before the chosen tool when the left button is pressed. The first that returns a tool gets the
        drag, for example to move the handle of a measurement under the mouse."""

    def add(self, name: str, tool: Tool) -> None:
        """Add a tool; the first one added is chosen."""
        self._tools[name] = tool
        self.chosen = self.chosen or name

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def choose(self, name: str) -> None:
        """Choose the tool of the left mouse button."""
        if name != self.chosen:
            self._tools[self.chosen].cancel()
            self.chosen = name
            self.changed.emit()

    def tool_for(self, gesture: Gesture) -> Tool:
        """The tool for a drag with the left button that begins here."""
        for grab in self.grabs:
            self._grabbed = grab(gesture)
            if self._grabbed is not None:
                return self._grabbed
        return self._tools[self.chosen]

    def cancel(self) -> None:
        """Discard what is being drawn or dragged."""
        if self._grabbed is not None:
            self._grabbed.cancel()
        self._tools[self.chosen].cancel()
