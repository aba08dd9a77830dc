"""What a command is: name, words, keys, menu, handler. Knows no commands and makes no QActions.

A handler gets the desk (the states) and the window. Commands of the viewport work while it has the keyboard, so that
arrows and page keys keep their meaning in lists and texts.
"""

from collections.abc import Callable
from dataclasses import dataclass

from desktop.desk import Desk
from desktop.views.window import MainWindow

Handler = Callable[[Desk, MainWindow], object]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the user can do. `shortcuts`: the first is shown; every command is in the palette as well."""

    name: str
    text: str
    shortcuts: tuple[str, ...]
    menu: str
    handler: Handler
    icon: str = ""
    in_viewport: bool = False
    """Its keys work only while an image has the keyboard."""
    new_group: bool = False
    """A line above it in the menu."""
    checked: Callable[[Desk], bool] | None = None
    enabled: Callable[[Desk], bool] = lambda desk: True
    label: Callable[[Desk], str] | None = None
    """Words that depend on what is shown; a disabled command with such words is left out of its menu."""
    button: str = ""
    """Words beside the icon in the toolbar."""
    submenu: str = ""
    """Title of the submenu that holds it."""


def has_picture(desk: Desk) -> bool:
    return desk.viewport.series is not None


def windowed(desk: Desk) -> bool:
    return desk.viewport.shown_window is not None
