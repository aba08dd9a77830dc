"""The settings and their pages: where each is read and changed. Stores nothing itself and knows no widgets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from desktop.desk import Desk
from desktop.state.studies.study_list import ORDERS
from engine.text.words import counted

CACHE_MEGABYTES = (128, 65_536)
"""Smallest and largest size of the image cache."""
TOOLS = {"window": "Window", "pan": "Pan", "zoom": "Zoom", "scroll": "Scroll"}


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off, by the checkable command of this name."""

    command: str
    hint: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    label: str
    options: Sequence[tuple[Any, str]]
    read: Callable[[Desk], Any]
    write: Callable[[Desk, Any], object]
    hint: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    label: str
    limits: tuple[int, int]
    step: int
    unit: str
    read: Callable[[Desk], int]
    write: Callable[[Desk, int], object]
    hint: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """What is stored in words, and buttons that change it: commands, or functions with their label."""

    label: str
    read: Callable[[Desk], str]
    commands: Sequence[str] = ()
    """Names of commands; the label of each button is that of its command."""
    forget: Callable[[Desk], object] | None = None
    """Removes what is stored."""
    forget_text: str = "Forget"
    hint: str = ""
    words: str = ""
    restore: Callable[[Desk], Callable[[], object]] | None = None
    """Keeps what is stored now; what it returns brings that back."""


Row = Switch | Choice | Number | Value


@dataclass(frozen=True, slots=True)
class Page:
    """Rows under a title."""

    title: str
    rows: Sequence[Row]
    note: str = ""


GRIDS = [((rows, columns), f"{rows} × {columns}") for rows in (1, 2, 3) for columns in (1, 2, 3)]


def _keep(*names: str) -> Callable[[Desk], Callable[[], object]]:
    """Brings back fields of Settings."""

    def keep(desk: Desk) -> Callable[[], object]:
        before = {name: getattr(desk.settings.now, name) for name in names}
        return lambda: desk.settings.change(**before)

    return keep


def _keep_archive(desk: Desk) -> Callable[[], object]:
    place = desk.archive.place
    return lambda: desk.archive.open(place) if place else None


def _keep_models(desk: Desk) -> Callable[[], object]:
    folder = desk.archive.current_bundle.folder if desk.archive.current_bundle else None
    return lambda: desk.upkeep.model.use(folder) if folder else None


def _archive(desk: Desk) -> str:
    place = desk.archive.place
    if place is None:
        return "None is open."
    return str(place) if desk.viewport.patient_data_visible else place.name


def _models(desk: Desk) -> str:
    bundle = desk.archive.current_bundle
    return str(bundle.manifest["name"]) if bundle else desk.archive.bundle_failure or "None are loaded."


def _presets(desk: Desk) -> str:
    own = sorted(desk.settings.now.presets)
    return f"Own presets for {', '.join(own)}." if own else "Those that ship with Kindred."


PAGES = (
    Page(
        "Appearance",
        (
            Choice(
                "Theme",
                (("dark", "Dark, for the reading room"), ("light", "Light, for a bright office")),
                lambda d: d.settings.now.theme,
                lambda d, value: d.settings.change(theme=value),
                words="colors mode bright",
            ),
            Switch("detach_viewer", "Images in a separate window, for a second monitor.", "screen"),
            Choice(
                "Viewports (rows × columns)",
                GRIDS,
                lambda d: (d.layout.rows, d.layout.columns),
                lambda d, value: d.set_grid(*value),
                words="layout grid hanging",
            ),
            Switch("hide_patient_data", "Names, IDs and dates of birth, in the overlay text and in lists.", "privacy"),
        ),
    ),
    Page(
        "Viewer",
        (
            Choice(
                "Tool of the left mouse button",
                tuple(TOOLS.items()),
                lambda d: d.tools.chosen,
                lambda d, value: d.tools.choose(value),
                "The right button changes the window, the middle one pans, the wheel scrolls.",
                "scroll pan zoom mouse",
            ),
            Switch("overlay_text", words="annotations corner demographics"),
            Switch("reference_lines", words="localizer scout"),
            Switch("link_viewports", words="scroll together synchronize"),
            Switch("show_measurements"),
            Value(
                "Window presets",
                _presets,
                ("edit_presets",),
                lambda d: d.settings.change(presets={}),
                "Restore defaults",
                "They are edited for the modality on screen.",
                "brightness contrast",
                _keep("presets"),
            ),
            Number(
                "Memory for decoded images",
                CACHE_MEGABYTES,
                128,
                " MB",
                lambda d: d.settings.now.cache_megabytes,
                lambda d, value: d.settings.change(cache_megabytes=value),
                "A larger cache keeps more series ready.",
                "image cache ram",
            ),
        ),
        "Tool, overlay text, lines, links and measurements start anew with each session.",
    ),
    Page(
        "Studies and archive",
        (
            Choice(
                "Sort studies by",
                tuple(ORDERS.items()),
                lambda d: d.study_list.order,
                lambda d, value: d.study_list.sort(value),
            ),
            Choice(
                "Similar cases",
                ((False, "A list of rows, with the text of each report"), (True, "A grid of pictures")),
                lambda d: d.settings.now.hit_grid,
                lambda d, value: d.settings.change(hit_grid=value),
                words="hits thumbnails tiles",
            ),
            Value(
                "Recent studies",
                lambda d: counted(len(d.settings.now.recent), "path"),
                ("open_recent",),
                lambda d: d.settings.change(recent=()),
                hint="Paths that were opened; folder names often contain patient names.",
                words="history privacy",
                restore=_keep("recent"),
            ),
            Value(
                "Archive",
                _archive,
                ("open_archive", "open_server", "new_archive"),
                hint="It is opened again at the next start; one on a server is offered.",
                restore=_keep_archive,
            ),
            Switch(
                "connect_at_start",
                "The archive of the last session is opened at the start too when it is on a server.",
                words="network department",
            ),
            Value(
                "Backups",
                lambda d: "Kept in a folder of their own, every hour while something changed.",
                ("backup_folder", "back_up"),
                words="folder copy safety",
            ),
            Value("Models", _models, ("load_models",), words="bundle weights folder", restore=_keep_models),
        ),
    ),
    Page(
        "Report",
        (
            Switch("write_first", "A draft can be seen only once something was written."),
            Value(
                "Names offered when signing",
                lambda d: counted(len(d.settings.now.signers), "name"),
                (),
                lambda d: d.settings.change(signers=()),
                hint="They complete what is typed; no name is filled in.",
                words="signature signer",
                restore=_keep("signers"),
            ),
            Value(
                "Macros",
                lambda d: counted(len(d.settings.now.macros), "macro"),
                ("edit_macros",),
                words="autotext abbreviations",
                restore=_keep("macros"),
            ),
            Value("Templates", lambda d: counted(len(d.writing.templates), "template"), ("edit_templates",)),
        ),
    ),
)
SHORTCUTS = "Keyboard shortcuts"
"""The title of the last page, which is a table of its own."""
