"""Defines a command: name, label, keys, menu and handler. Does not know any command and creates no QAction.

A handler takes the desk (the states) and the window. Keys of commands marked `in_viewport` work only while a viewport
has the keyboard focus, so that arrow and page keys keep their meaning in lists and text fields.
"""

from collections.abc import Callable
from dataclasses import dataclass

from desktop.desk import Desk
from desktop.views.window import MainWindow

Handler = Callable[[Desk, MainWindow], object]


@dataclass(frozen=True, slots=True)
class Command:
    """One action of the user; every command is also in the command palette."""

    name: str
    """Unique; also the object name of its QAction."""
    text: str
    """Label in menus, tooltips and the command palette."""
    shortcuts: tuple[str, ...]
    """All keys; menus and tooltips show the first."""
    menu: str
    handler: Handler
    icon: str = ""
    """Name of a file in resources/icons, without ".svg"."""
    in_viewport: bool = False
    """Its keys work only while a viewport has the keyboard focus."""
    new_group: bool = False
    """Draw a separator above it in the menu."""
    checked: Callable[[Desk], bool] | None = None
    """Makes the command checkable."""
    enabled: Callable[[Desk], bool] = lambda desk: True
    label: Callable[[Desk], str] | None = None
    """Replaces `text` by a label that depends on the state; while disabled, such a command is hidden from its menu."""
    button: str = ""
    """Label beside the icon in the toolbar."""
    held: bool = False
    """Lasts while its key is held, so the key does not repeat it; `ToolsState.hold_ended` ends it."""
    submenu: str = ""
    """Title of the submenu that holds it."""


def has_picture(desk: Desk) -> bool:
    """Whether the active viewport holds a series."""
    return desk.viewport.series is not None


def windowed(desk: Desk) -> bool:
    """Whether a window (center and width) applies to the image on screen."""
    return desk.viewport.shown_window is not None
