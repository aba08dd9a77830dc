"""The menu "Window": presets, auto window, inversion, color maps."""

from functools import partial

from desktop.commands.command import Command, has_picture, windowed
from desktop.commands.image import tool
from desktop.desk import Desk
from desktop.state.formatting import window_numbers
from engine.image.color_maps import COLOR_MAPS

MAX_PRESETS = 20
"""Of one modality; the first nine have a key."""


def _preset_label(number: int, desk: Desk) -> str:
    presets = desk.viewport.presets
    if number == 0:
        return "Default (from file)"
    if number > len(presets):
        return f"Preset {number}"
    preset = presets[number - 1]
    width, center = window_numbers(preset)
    return f"{preset.name} (W {width} L {center})"


def _preset(number: int) -> Command:
    return Command(
        f"preset_{number}" if number else "default_window",
        f"Window preset {number}" if number else "Default window (from file)",
        (str(number),) if number < 10 else (),
        "Window",
        lambda desk, window: desk.viewport.apply_preset(number),
        enabled=lambda desk: windowed(desk) and number <= len(desk.viewport.presets),
        label=partial(_preset_label, number),
        submenu="" if number < 10 else "More presets",
    )


def _color_map(name: str) -> Command:
    return Command(
        f"color_map_{name.lower().replace(' ', '_') or 'gray'}",
        name or "Gray",
        (),
        "Window",
        lambda desk, window: desk.viewport.set_color_map(name),
        checked=lambda desk: desk.viewport.color_map == name,
        enabled=windowed,
        submenu="Color map",
    )


ROWS = (
    *(_preset(number) for number in range(1, 10)),
    _preset(0),
    *(_preset(number) for number in range(10, MAX_PRESETS + 1)),
    Command(
        "save_preset",
        "Save window as preset…",
        ("Shift+P",),
        "Window",
        lambda d, w: w.dialogs.save_preset(),
        enabled=windowed,
        new_group=True,
    ),
    Command(
        "edit_presets",
        "Edit window presets…",
        ("Ctrl+Shift+P",),
        "Window",
        lambda d, w: w.dialogs.edit_presets(),
        enabled=has_picture,
    ),
    Command(
        "auto_window",
        "Auto window",
        ("U",),
        "Window",
        lambda d, w: d.viewport.auto_window(),
        enabled=windowed,
        new_group=True,
    ),
    tool("window_from_roi", "Window from ROI", "Shift+W", menu="Window"),
    Command(
        "invert",
        "Invert",
        ("I",),
        "Window",
        lambda d, w: d.viewport.toggle_invert(),
        "invert",
        checked=lambda d: d.viewport.inverted,
        enabled=has_picture,
        new_group=True,
    ),
    *(_color_map(name) for name in ("", *COLOR_MAPS)),
)
