"""What the left mouse button does over an image: the protocol of a tool, and which one is chosen. Knows no widgets.

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
    """One event of the mouse over a viewport."""

    viewport: ViewportState
    place: Point
    """Logical pixels from the viewport's top left corner."""
    point: Point | None
    """Image (column, row), continuous, the first pixel's centre at (0.5, 0.5) (see state/geometry.py); may lie outside
    the image; None while no picture is shown."""
    moved: Point = (0.0, 0.0)
    """Logical pixels (right, down) since the event before."""
    shift: bool = False
    control: bool = False


class Tool:
    """Does nothing; tools override what they need. Coordinates are in the gesture, changes go to states."""

    cursor = "arrow"
    """"arrow", "cross", "hand", "up-down" or "split"."""

    def press(self, gesture: Gesture) -> None:
        """The button went down."""

    def move(self, gesture: Gesture) -> None:
        """The mouse moved with the button held."""

    def release(self, gesture: Gesture) -> None:
        """The button came up."""

    def hover(self, gesture: Gesture) -> None:
        """The mouse moved without a button; only the chosen tool hears of it."""

    def double_click(self, gesture: Gesture) -> bool:
        """True when the tool took it; else the viewport is maximised."""
        return False

    def leave(self) -> None:
        """Another tool was chosen: give up what was begun."""


Grab = Callable[[Gesture], Tool | None]


class ToolsState(QObject):
    """The tools by name, and the chosen one, the same for all viewports."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tools: dict[str, Tool] = {}
        self.chosen = ""
        self._taken: Tool | None = None
        """What the last drag began with."""
        self.grabs: list[Grab] = []
        """Asked in turn when the left button goes down, before the chosen tool: who answers a tool takes the drag, for
        example to move the handle of a measurement under the mouse."""

    def add(self, name: str, tool: Tool) -> None:
        """The first one is chosen to begin with."""
        self._tools[name] = tool
        self.chosen = self.chosen or name

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def choose(self, name: str) -> None:
        if name != self.chosen:
            self._tools[self.chosen].leave()
            self.chosen = name
            self.changed.emit()

    def take(self, gesture: Gesture) -> Tool:
        """The tool for a drag with the left button that begins here."""
        for grab in self.grabs:
            self._taken = grab(gesture)
            if self._taken is not None:
                return self._taken
        return self._tools[self.chosen]

    def give_up(self) -> None:
        """What is being drawn or dragged stays as it was."""
        if self._taken is not None:
            self._taken.leave()
        self._tools[self.chosen].leave()
