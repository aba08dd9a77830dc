"""Chooses windows and renders pixels as gray levels or colours. Knows no files and no screen."""

import json
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.pixels import Pixels
from engine.resources import resource_path
from engine.voi import Window, apply_lut, apply_window

__all__ = ["Window", "auto_window", "default_window", "import_window", "presets", "render"]

_LOW, _HIGH = 0.5, 99.5
_SAMPLES = 1 << 18


def default_window(pixels: Pixels) -> Window:
    """The window to begin with: the file's first, else the range of its VOI LUT, else `auto_window`."""
    if pixels.windows:
        return pixels.windows[0]
    if pixels.voi_luts:
        lut = pixels.voi_luts[0]
        return Window(lut.first + len(lut.entries) / 2, max(1, len(lut.entries)), "LINEAR", lut.name or "VOI LUT")
    return auto_window(pixels)


def auto_window(pixels: Pixels) -> Window:
    """A window from the 0.5th to the 99.5th percentile of what is image and not padding.

    For colour pixels the window of 8-bit gray, which changes nothing.
    """
    if pixels.is_color:
        return Window(127.5, 255, "LINEAR_EXACT", "Auto")
    values = pixels.values if pixels.padding is None else pixels.values[~pixels.padding]
    values = values.ravel()
    if not values.size:
        return Window(0.5, 1, "LINEAR_EXACT", "Auto")
    step = max(1, values.size // _SAMPLES)
    low, high = (float(level) for level in np.percentile(values[::step], (_LOW, _HIGH)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        high = low + 1
    return Window((low + high) / 2, high - low, "LINEAR_EXACT", "Auto")


def render(pixels: Pixels, window: Window | None = None) -> NDArray[np.uint8]:
    """Gray levels [H, W] through a window, inverted where the file says so, padding black; colours as they are.

    Args:
        window: None takes the file's own look: its first window, else its VOI LUT, else `auto_window`.

    Returns:
        uint8 [H, W], 0 is black; or uint8 [H, W, 3] RGB for colour images, to which windows do not apply, and for
        gray images with supplemental colours.

    Raises:
        UserError: the window has no positive width.
    """
    if pixels.is_color:
        return np.asarray(pixels.values, np.uint8)
    if window is None and not pixels.windows and pixels.voi_luts:
        levels = apply_lut(pixels.values, pixels.voi_luts[0])
    else:
        levels = apply_window(pixels.values, window or default_window(pixels))
    if pixels.inverted:
        np.subtract(255, levels, out=levels)
    if pixels.padding is not None:
        levels[pixels.padding] = 0
    if pixels.painted is None:
        return levels
    where, colors = pixels.painted
    return np.where(where[..., None], colors, levels[..., None])


def presets(modality: str) -> tuple[Window, ...]:
    """The windows that radiologists expect for a modality, in their order; empty when there are none."""
    return tuple(
        Window(float(row["center"]), float(row["width"]), "LINEAR", str(row["name"]))
        for row in _preset_rows().get(modality.upper(), [])
    )


@cache
def _preset_rows() -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = json.loads(resource_path("window_presets.json").read_text("utf-8"))
    return rows


def import_window(pixels: Pixels, body_part: str = "") -> Window:
    """The window for a frame that goes into the archive: for CT the preset of the body part, else the file's own.

    A site's files carry whatever window was last dragged; one preset a body part makes cases comparable.
    """
    if pixels.unit == "HU" and pixels.modality == "CT":
        part = body_part.upper()
        for row in _preset_rows()["CT"]:
            if any(word in part for word in row.get("body_parts", [])):
                return Window(float(row["center"]), float(row["width"]), "LINEAR", str(row["name"]))
    return default_window(pixels)
