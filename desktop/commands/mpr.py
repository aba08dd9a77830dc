"""Commands of the Measure menu for the planes of MPR: slabs and an oblique plane."""

from dataclasses import replace

from desktop.commands.command import Command
from desktop.commands.image import tool
from desktop.desk import Desk
from engine.image.slab import NAMES

LABELS = {"": "Single planes", "max": "MIP (maximum)", "min": "MinIP (minimum)", "mean": "Mean"}
"""By the kind of the slab."""


def _shown(desk: Desk) -> bool:
    return desk.mpr.shown


def _slab(kind: str) -> Command:
    return Command(
        f"slab_{kind or 'none'}",
        LABELS[kind],
        (),
        "Measure",
        lambda desk, window: desk.slab.choose(kind),
        checked=lambda desk: desk.mpr.shown and desk.slab.slab.kind == kind,
        enabled=_shown,
        submenu="MPR slab",
    )


def _thicken(name: str, text: str, key: str, steps: int) -> Command:
    return Command(
        name,
        text,
        (key,),
        "Measure",
        lambda desk, window: desk.slab.thicken(steps),
        in_viewport=True,
        enabled=lambda desk: desk.slab.shown,
        submenu="MPR slab",
        new_group=steps > 0,
    )


def _turn(name: str, text: str, key: str, across: int, along: int) -> Command:
    return Command(
        name,
        text,
        (key,),
        "Measure",
        lambda desk, window: desk.oblique.turn(across, along),
        in_viewport=True,
        enabled=_shown,
        submenu="Oblique plane",
    )


ROWS = (
    *map(_slab, ("", *NAMES)),
    Command(
        "next_slab",
        "Next slab projection",
        ("Shift+M",),
        "Measure",
        lambda d, w: d.slab.next_kind(),
        enabled=_shown,
        submenu="MPR slab",
        new_group=True,
    ),
    _thicken("thicker_slab", "Thicker slab", "Ctrl+Up", 1),
    _thicken("thinner_slab", "Thinner slab", "Ctrl+Down", -1),
    Command(
        "slab_thickness",
        "Slab thickness…",
        (),
        "Measure",
        lambda d, w: w.dialogs.set_slab_thickness(),
        enabled=lambda d: d.slab.shown,
        submenu="MPR slab",
    ),
    replace(tool("turn_plane", "Turn plane with the mouse", "Shift+O", menu="Measure"), submenu="Oblique plane"),
    _turn("turn_plane_left", "Turn plane left", "Ctrl+Shift+Left", -1, 0),
    _turn("turn_plane_right", "Turn plane right", "Ctrl+Shift+Right", 1, 0),
    _turn("turn_plane_up", "Turn plane up", "Ctrl+Shift+Up", 0, 1),
    _turn("turn_plane_down", "Turn plane down", "Ctrl+Shift+Down", 0, -1),
    Command(
        "close_oblique_plane",
        "Close oblique plane",
        (),
        "Measure",
        lambda d, w: d.mpr.end_oblique(),
        enabled=lambda d: d.oblique.shown,
        submenu="Oblique plane",
        new_group=True,
    ),
)
