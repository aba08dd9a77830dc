"""The menu "Measure": measuring tools, undo and redo, planes through a stack."""

from desktop.commands.command import Command, has_picture
from desktop.commands.image import tool
from desktop.desk import Desk
from desktop.views.viewer.measurement_list import MeasurementList
from desktop.views.window import MainWindow


def _cancel(desk: Desk, window: MainWindow) -> None:
    """Give up what is being drawn; nothing drawn: let go of the selection."""
    if desk.measurements.draft is not None or desk.regions.viewport is not None:
        desk.tools.give_up()
    else:
        desk.measurements.select("")


def _list(desk: Desk, window: MainWindow) -> None:
    shown = window.findChild(MeasurementList) or MeasurementList(desk.measurement_list, desk.measurements, window)
    shown.show()
    shown.raise_()
    shown.activateWindow()


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
