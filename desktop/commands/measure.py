"""The menu "Measure": measuring tools, undo and redo, planes through a stack."""

from functools import partial

from desktop.commands.command import Command, has_picture
from desktop.commands.image import tool
from desktop.desk import Desk
from desktop.views.chooser import Choice
from desktop.views.window import MainWindow
from engine.measurements import NAMES, lines


def _cancel(desk: Desk, window: MainWindow) -> None:
    """Give up what is being drawn; nothing drawn: let go of the selection."""
    if desk.measurements.draft is not None:
        desk.tools[desk.tools.chosen].leave()
        desk.measurements.set_draft(None)
    else:
        desk.measurements.select("")


def _list(desk: Desk, window: MainWindow) -> None:
    """All of the study; choosing one shows its frame."""
    state, choices = desk.measurements, []
    for number, item in enumerate(state.of_study(), 1):
        index = state.frame_index(item)
        picture = desk.viewport.picture
        here = picture is not None and item.belongs_to(picture.ref)
        reading = state.reading(item, picture.ref, picture.pixels) if picture is not None and here else None
        place = "in another series" if index is None else f"image {index + 1}"
        where = ", ".join(lines(reading)) if reading else place
        choices.append(Choice(f"{number}  {NAMES[item.kind]}", partial(state.go_to, item.id), where))
    window.choose("Measurements", choices)


ROWS = (
    tool("length", "Length", "D", menu="Measure"),
    tool("angle", "Angle", "A", menu="Measure"),
    tool("cobb", "Cobb angle", "B", menu="Measure"),
    tool("rectangle", "Rectangle", "Q", menu="Measure", new_group=True),
    tool("ellipse", "Ellipse", "E", menu="Measure"),
    tool("region", "Free region", "G", menu="Measure"),
    tool("probe", "Probe", "P", menu="Measure"),
    Command(
        "undo_measure",
        "Undo",
        ("Ctrl+Z",),
        "Measure",
        lambda d, w: d.measurements.undo(),
        in_viewport=True,
        new_group=True,
        enabled=lambda d: d.measurements.can_undo(),
    ),
    Command(
        "redo_measure",
        "Redo",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "Measure",
        lambda d, w: d.measurements.redo(),
        in_viewport=True,
        enabled=lambda d: d.measurements.can_redo(),
    ),
    Command(
        "delete_measure",
        "Delete the chosen measurement",
        ("Delete", "Backspace"),
        "Measure",
        lambda d, w: d.measurements.delete_selected(),
        in_viewport=True,
        enabled=lambda d: d.measurements.selected_in_sight(),
    ),
    Command(
        "delete_measures",
        "Delete all measurements of the study",
        ("Ctrl+Shift+Delete",),
        "Measure",
        lambda d, w: d.measurements.delete_all(),
        in_viewport=True,
        enabled=lambda d: bool(d.measurements.of_study()),
    ),
    Command("cancel_measure", "Stop drawing", ("Esc",), "Measure", _cancel, in_viewport=True),
    Command(
        "show_measures",
        "Show measurements",
        ("M",),
        "Measure",
        lambda d, w: d.measurements.set_visible(not d.measurements.visible),
        checked=lambda d: d.measurements.visible,
        new_group=True,
    ),
    Command(
        "list_measures",
        "Measurements…",
        ("Ctrl+Shift+D",),
        "Measure",
        _list,
        enabled=lambda d: bool(d.measurements.of_study()),
    ),
    tool("crosshair", "Go to this place in all viewports", "J", menu="Measure", new_group=True),
    Command(
        "planes",
        "Axial, coronal and sagittal planes",
        ("V",),
        "Measure",
        lambda d, w: d.mpr.toggle(),
        checked=lambda d: d.mpr.shown,
        enabled=has_picture,
    ),
)
