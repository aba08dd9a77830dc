"""The Measure menu: measuring and annotating tools, undo, the measurement list, crosshair and MPR."""

from collections.abc import Iterable, Iterator

from desktop.commands.command import Command, has_picture
from desktop.commands.image import tool
from desktop.desk import Desk
from desktop.views.viewer.measurement_list import MeasurementList
from desktop.views.window import MainWindow
from engine.measure.figures import FIGURES, Figure

KEYS = {
    "length": "D",
    "angle": "A",
    "cobb": "B",
    "rectangle": "Q",
    "ellipse": "E",
    "region": "G",
    "probe": "P",
    "arrow": "Shift+A",
    "text": "Shift+T",
}
"""Of the measuring tools; those without one are in the menu and the command palette only."""
ICONS = frozenset(FIGURES)
"""The figures of which resources/icons has one, by their kind."""


def _cancel(desk: Desk, window: MainWindow) -> None:
    """Cancel the drawing in progress, else the pointer, hide the magnifier, close the comparison, or deselect."""
    if desk.key_pointer.viewport is not None:
        desk.key_pointer.cancel()
    elif desk.measurements.draft is not None or desk.rubber_band.viewport is not None:
        desk.tools.cancel()
    elif desk.magnifier.on:
        desk.magnifier.show(False)
    elif desk.comparison.viewport is not None:
        desk.comparison.close()
    elif desk.first_steps.visible:
        desk.first_steps.skip()
    else:
        desk.measurements.select("")


def _list(desk: Desk, window: MainWindow) -> None:
    shown = window.findChild(MeasurementList) or MeasurementList(desk.measurement_list, desk.measurements, window)
    shown.show()
    shown.raise_()
    shown.activateWindow()


def drawing_commands(figures: Iterable[Figure]) -> Iterator[Command]:
    """A command for each figure; those that use pixels and those that do not form groups of the menu."""
    previous = None
    for figure in figures:
        new_group = previous is not None and previous.uses_pixels != figure.uses_pixels
        icon = figure.kind if figure.kind in ICONS else ""
        yield tool(figure.kind, figure.label, KEYS.get(figure.kind, ""), icon, new_group, "Measure")
        previous = figure


ROWS = (
    *drawing_commands(FIGURES.values()),
    Command(
        "undo",
        "Undo",
        ("Ctrl+Z",),
        "Measure",
        lambda d, w: d.measurements.undo(),
        in_viewport=True,
        new_group=True,
        enabled=lambda d: d.measurements.can_undo(),
    ),
    Command(
        "redo",
        "Redo",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "Measure",
        lambda d, w: d.measurements.redo(),
        in_viewport=True,
        enabled=lambda d: d.measurements.can_redo(),
    ),
    Command(
        "edit_annotation_text",
        "Edit text of annotation",
        ("F2",),
        "Measure",
        lambda d, w: d.annotation_text.begin_selected(),
        in_viewport=True,
        enabled=lambda d: d.annotation_text.can_begin(),
    ),
    Command(
        "delete_measurement",
        "Delete measurement",
        ("Delete", "Backspace"),
        "Measure",
        lambda d, w: d.measurements.delete_selected(),
        in_viewport=True,
        enabled=lambda d: d.measurements.selected_is_visible(),
    ),
    Command(
        "delete_all_measurements",
        "Delete all measurements",
        ("Ctrl+Shift+Delete",),
        "Measure",
        lambda d, w: d.measurements.delete_all(),
        in_viewport=True,
        enabled=lambda d: bool(d.measurements.of_study()),
    ),
    Command(
        "insert_into_report",
        "Insert into report",
        ("F9",),
        "Measure",
        lambda d, w: d.inserting.insert(),
        new_group=True,
        enabled=lambda d: d.inserting.can_insert(),
    ),
    Command("cancel_drawing", "Cancel drawing", ("Esc",), "Measure", _cancel, in_viewport=True),
    Command(
        "show_measurements",
        "Show measurements",
        ("M",),
        "Measure",
        lambda d, w: d.measurements.set_visible(not d.measurements.visible),
        checked=lambda d: d.measurements.visible,
        new_group=True,
    ),
    Command("list_measurements", "Measurements…", ("Ctrl+Shift+D",), "Measure", _list),
    tool("crosshair", "Crosshair", "J", menu="Measure", new_group=True),
    Command(
        "mpr",
        "MPR",
        ("V",),
        "Measure",
        lambda d, w: d.mpr.toggle(),
        checked=lambda d: d.mpr.shown,
        enabled=has_picture,
    ),
)
