"""What the app remembers from one start to the next, in one file that only its owner can read. Knows no widgets.

It never holds what a study says (names, identifiers, dates): only choices, and the paths that the user opened.
"""

import json
import logging
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from engine.image.voi import FUNCTIONS, Window
from engine.resources import user_folder

log = logging.getLogger(__name__)

FILE = "settings.json"
RECENT = 12
THEMES = ("dark", "light")


@dataclass(frozen=True, slots=True)
class Settings:
    """Plain values, as they stand in the file; what a file leaves out or says wrongly is as here."""

    theme: str = THEMES[0]
    grid: tuple[int, int] = (1, 1)
    archive: str = ""
    """The folder of the last archive."""
    recent: tuple[str, ...] = ()
    """Paths that were opened, the latest first."""
    geometry: str = ""
    """Of the main window, as Qt encodes it, in base 64."""
    panels: str = ""
    """Places and sizes of the panels and the toolbar, likewise."""
    second_geometry: str = ""
    """Of the window that holds the images when they are on their own."""
    detached: bool = False
    identity_visible: bool = True
    cache_megabytes: int = 512
    """How much memory decoded frames may take."""
    presets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The user's windows for a modality, in the order of the number keys: name, center, width, function."""


class SettingsState(QObject):
    """The settings of this user. A file that cannot be read or written is no reason to stop: it is told once."""

    changed = Signal()
    problem = Signal(str)

    def __init__(
        self, folder: Path | None = None, background: Background | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._path, self._background = (folder or user_folder()) / FILE, background
        self._told = False
        self.now = read(self._path)
        self._kept: Settings | None = self.now
        """What the file holds; None while a worker may be writing it."""

    def change(self, **changes: Any) -> None:
        """Set fields of Settings and write the file: with a `background` on a worker, of several changes the last."""
        new = replace(self.now, **changes)
        if new != self.now:
            self.now = new
            if self._background is None:
                self.keep()
            else:
                self._kept = None
                self._background.start(
                    as_work(_failure_to_write, self._path, new),
                    partial(self._written, new),
                    key="settings",
                    lane=Lane.STORE,
                )
            self.changed.emit()

    def keep(self) -> None:
        """Write at once what is not in the file yet."""
        if self.now != self._kept:
            self._written(self.now, _failure_to_write(self._path, self.now))

    def _written(self, settings: Settings, failure: str) -> None:
        if not failure:
            self._kept = settings
            return
        log.warning("The settings cannot be written: %s", failure)
        if not self._told:
            self._told = True
            self.problem.emit(f"Your settings cannot be kept in {self._path.parent}: {failure}.")

    def remember_opened(self, paths: list[Path]) -> None:
        """Put what was opened on top of the recent list."""
        opened = [str(path.absolute()) for path in paths]
        self.change(recent=tuple(dict.fromkeys([*opened, *self.now.recent]))[:RECENT])

    # -- presets

    def presets(self, modality: str, shipped: tuple[Window, ...]) -> tuple[Window, ...]:
        """The user's windows for a modality, or those that ship with Kindred."""
        rows = self.now.presets.get(modality.upper())
        return tuple(filter(None, map(_window, rows))) if isinstance(rows, list) else shipped

    def set_presets(self, modality: str, windows: tuple[Window, ...] | None) -> None:
        """None: back to those that ship with Kindred."""
        presets = {name: rows for name, rows in self.now.presets.items() if name != modality.upper()}
        if windows is not None:
            presets[modality.upper()] = [
                {"name": window.name, "center": window.center, "width": window.width, "function": window.function}
                for window in windows
            ]
        self.change(presets=presets)


def _window(row: Any) -> Window | None:
    try:
        function = row.get("function") if row.get("function") in FUNCTIONS else FUNCTIONS[0]
        made = Window(float(row["center"]), float(row["width"]), function, str(row["name"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return made if made.width > 0 and math.isfinite(made.center) and math.isfinite(made.width) else None


def read(path: Path) -> Settings:
    """The settings of a file; a missing or damaged one gives the defaults, value by value."""
    try:
        held = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        log.warning("The settings cannot be read and begin anew: %s", type(error).__name__)
        return Settings()
    default = Settings()
    known: dict[str, Any] = {}
    for item in fields(Settings):
        value = held.get(item.name) if isinstance(held, dict) else None
        if isinstance(value, list):
            value = tuple(value)
        if type(value) is type(getattr(default, item.name)):
            known[item.name] = value
    settings = replace(default, **known)
    grid_is_right = len(settings.grid) == 2 and all(isinstance(n, int) and 1 <= n <= 3 for n in settings.grid)
    return replace(
        settings,
        theme=settings.theme if settings.theme in THEMES else THEMES[0],
        grid=settings.grid if grid_is_right else (1, 1),
        recent=tuple(str(path) for path in settings.recent)[:RECENT],
        cache_megabytes=min(65_536, max(64, settings.cache_megabytes)),
    )


def _failure_to_write(path: Path, settings: Settings) -> str:
    """Why the file could not be written; "" where it was."""
    try:
        write(path, settings)
    except OSError as error:
        return str(error.strerror or error)
    return ""


def write(path: Path, settings: Settings) -> None:
    """Replace the file as a whole; only its owner may read it.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{FILE}")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(settings), file, indent=1)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
