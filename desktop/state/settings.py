"""The user's settings, stored as JSON in a file that only its owner can read. Knows no widgets.

They never contain data of a study (names, identifiers, dates), only choices and the paths that the user opened.
"""

import json
import logging
import math
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Lane, as_work
from engine.image.voi import FUNCTIONS, Window
from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

log = logging.getLogger(__name__)

FILE = "settings.json"
RECENT = 12
"""The most paths in the recent list, and names that complete a signature."""
THEMES = ("dark", "light")


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of the file, under the names of its keys; a missing or invalid value has the default given here."""

    theme: str = THEMES[0]
    """Colors of the app, one of THEMES."""
    grid: tuple[int, int] = (1, 1)
    """Rows and columns of viewports, 1 to 3 each."""
    archive: str = ""
    """The folder or address of the last open archive."""
    server: str = ""
    """The address of the archive on a server that was opened last, without a password."""
    server_at_start: bool = False
    """Whether the archive of the last session is opened at the start too when it is on a server."""
    models: str = ""
    """The folder of the models that were chosen last; "" for the starter models."""
    models_before: str = ""
    """The folder of the models before those."""
    recent: tuple[str, ...] = ()
    """Paths that were opened, latest first."""
    geometry: str = ""
    """Size and position of the main window: the bytes of QWidget.saveGeometry, in base64."""
    panels: str = ""
    """Layout of the panels and the toolbar: the bytes of QMainWindow.saveState, in base64."""
    second_geometry: str = ""
    """Like `geometry`, for the detached viewer."""
    detached: bool = False
    """Whether the viewer is in its own window."""
    identity_visible: bool = True
    """Whether patient data are shown."""
    signers: tuple[str, ...] = ()
    """Names that reports were signed with on this account, latest first: completions of what is typed, since several
    people may share it."""
    cache_megabytes: int = 512
    """The most memory that decoded frames may use, in MiB."""
    macros: dict[str, str] = field(default_factory=dict)
    """What a word and Tab expand to in a report, in the notation of templates."""
    write_first: bool = False
    """Whether a draft can be seen only once something was written."""
    first_steps_seen: bool = False
    """Whether the first steps were skipped or finished."""
    hit_grid: bool = False
    """Whether hits are a grid of pictures and not a list of rows."""
    study_order: str = "opened"
    """What the studies are sorted by in the study browser (state/studies/study_list.py)."""
    shortcuts: dict[str, Any] = field(default_factory=dict)
    """Keys that the user chose, a list by the name of the command, where they differ from the default
    (state/shortcuts.py, which checks them)."""
    presets: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The user's window presets by modality, in the order of the number keys: name, center, width, function."""


class SettingsState(QObject):
    """The settings of this user; a file that cannot be written is reported once, and the app goes on without it."""

    changed = Signal()
    problem = Signal(str)
    """The settings cannot be saved, as one sentence for the user."""

    def __init__(
        self, folder: Path | None = None, background: Background | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._path, self._background = (folder or user_folder()) / FILE, background
        self._reported = False
        self.now = read(self._path)
        self._saved: Settings | None = self.now
        """What the file holds; None while a worker may be writing it."""

    def change(self, **changes: Any) -> None:
        """Set fields of Settings and save them, on a worker if there is a `background`, coalescing rapid changes."""
        new = replace(self.now, **changes)
        if new != self.now:
            self.now = new
            if self._background is None:
                self.save_now()
            else:
                self._saved = None
                self._background.start(
                    as_work(_write_error, self._path, new),
                    partial(self._take_saved, new),
                    key="settings",
                    lane=Lane.STORE,
                )
            self.changed.emit()

    def save_now(self) -> None:
        """Write unsaved changes on this thread."""
        if self.now != self._saved:
            self._take_saved(self.now, _write_error(self._path, self.now))

    def _take_saved(self, settings: Settings, failure: str) -> None:
        if not failure:
            self._saved = settings
            return
        log.warning("The settings cannot be saved: %s", failure)
        if not self._reported:
            self._reported = True
            self.problem.emit(f"Your settings cannot be saved in {self._path.parent}: {failure}.")

    def remember_opened(self, paths: list[Path]) -> None:
        """Move these paths to the top of the recent list."""
        opened = [str(path.absolute()) for path in paths]
        self.change(recent=tuple(dict.fromkeys([*opened, *self.now.recent]))[:RECENT])

    def remember_signer(self, name: str) -> None:
        """Move a name to the top of those that complete a signature."""
        self.change(signers=tuple(dict.fromkeys([name, *self.now.signers]))[:RECENT])

    # -- presets

    def presets(self, modality: str, shipped: tuple[Window, ...]) -> tuple[Window, ...]:
        """The user's window presets for a modality, or the `shipped` ones."""
        rows = self.now.presets.get(modality.upper())
        return tuple(filter(None, map(_window, rows))) if isinstance(rows, list) else shipped

    def set_presets(self, modality: str, windows: tuple[Window, ...] | None) -> None:
        """Set the user's window presets for a modality; None restores those that ship with Kindred."""
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
        window = Window(float(row["center"]), float(row["width"]), function, str(row["name"]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return window if window.width > 0 and math.isfinite(window.center) and math.isfinite(window.width) else None


def read(path: Path) -> Settings:
    """The settings of a file, with the default for each value that is missing or invalid."""
    try:
        content = read_json(path)
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        log.warning("The settings cannot be read; the defaults are used: %s", type(error).__name__)
        return Settings()
    default = Settings()
    known: dict[str, Any] = {}
    for item in fields(Settings):
        value = content.get(item.name) if isinstance(content, dict) else None
        if isinstance(value, list):
            value = tuple(value)
        if type(value) is type(getattr(default, item.name)):
            known[item.name] = value
    settings = replace(default, **known)
    grid_is_valid = len(settings.grid) == 2 and all(isinstance(n, int) and 1 <= n <= 3 for n in settings.grid)
    return replace(
        settings,
        theme=settings.theme if settings.theme in THEMES else THEMES[0],
        grid=settings.grid if grid_is_valid else (1, 1),
        recent=tuple(str(path) for path in settings.recent)[:RECENT],
        macros={str(word): str(text) for word, text in settings.macros.items()},
        signers=tuple(str(name) for name in settings.signers)[:RECENT],
        cache_megabytes=min(65_536, max(64, settings.cache_megabytes)),
    )


def _write_error(path: Path, settings: Settings) -> str:
    """Why the file could not be written; "" if it was."""
    try:
        write(path, settings)
    except OSError as error:
        return str(error.strerror or error)
    return ""


def write(path: Path, settings: Settings) -> None:
    """Replace the file atomically, readable by its owner only.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, [json.dumps(asdict(settings), indent=1).encode()])
