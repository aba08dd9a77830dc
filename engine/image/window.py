"""Chooses windows and renders pixels as gray levels or RGB. Knows no files and no screen."""

import json
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.image.display_header import Rescale
from engine.image.pixels import Pixels, modality_values
from engine.image.voi import Window, apply_lut, apply_window
from engine.resources import resource_path

_LOW, _HIGH = 0.5, 99.5
"""Percentiles of the auto window."""
_SAMPLES = 1 << 18
"""Values that percentiles are taken of."""
_BLOCK = 1 << 15


def default_window(pixels: Pixels) -> Window:
    """The initial window: the file's first, else the range of its VOI LUT, else `auto_window`."""
    if pixels.windows:
        return pixels.windows[0]
    if pixels.voi_luts:
        lut = pixels.voi_luts[0]
        return Window(lut.first + len(lut.entries) / 2, max(1, len(lut.entries)), "LINEAR", lut.name or "VOI LUT")
    return auto_window(pixels)


def auto_window(pixels: Pixels) -> Window:
    """A window from the 0.5th to the 99.5th percentile of the image without its padding.

    For color images 0 to 255, the identity.
    """
    if pixels.is_color:
        return Window(127.5, 255, "LINEAR_EXACT", "Auto")
    values = _image_values(pixels)
    if not values.size:
        return Window(0.5, 1, "LINEAR_EXACT", "Auto")
    step = max(1, values.size // _SAMPLES)
    low, high = (float(level) for level in np.percentile(values[::step], (_LOW, _HIGH)))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        high = low + 1
    return Window((low + high) / 2, high - low, "LINEAR_EXACT", "Auto")


def min_window_width(pixels: Pixels) -> float:
    """The smallest useful window width, in modality values: one step of integer values, the least float otherwise.

    Dose and diffusion maps have values far below 1.
    """
    if pixels.stored.dtype.kind == "f":
        return float(np.finfo(np.float32).tiny)
    return 1.0 if pixels.rescale.table is not None else abs(pixels.rescale.slope) or 1.0


def _image_values(pixels: Pixels) -> NDArray[Any]:
    """Modality values of all pixels but padding, float32 [N]."""
    padding = pixels.padding_at(...)
    return modality_values(pixels.stored.ravel() if padding is None else pixels.stored[~padding], pixels.rescale)


def render(pixels: Pixels, window: Window | None = None) -> NDArray[np.uint8]:
    """Render a frame through a window, inverted if the file says so, with black padding.

    Args:
        pixels: the frame.
        window: None renders as the file says: its first window, else its VOI LUT, else `auto_window`.

    Returns:
        uint8 [H, W], 0 is black; or RGB uint8 [H, W, 3] for color images, to which windows do not apply, and for gray
        images with supplemental colors.

    Raises:
        UserError: the width of the window is not positive.
    """
    if pixels.is_color:
        return np.asarray(pixels.stored, np.uint8)
    if window is None and (pixels.windows or not pixels.voi_luts):
        window = default_window(pixels)
    if pixels.stored.dtype.kind in "iu" and pixels.stored.dtype.itemsize <= 2:
        levels = _look_up(_table(pixels, window), pixels.stored)
    else:
        levels = _levels(pixels, pixels.stored, window)
    if pixels.masked is not None:
        levels[pixels.masked] = 0
    if pixels.supplemental_colors is None:
        return levels
    colored, colors = pixels.supplemental_colors
    return np.where(colored[..., None], colors, levels[..., None])


def _levels(pixels: Pixels, stored: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    """Gray levels of stored values with the attributes of `pixels`; without a window, through its first VOI LUT."""
    values = modality_values(stored, pixels.rescale)
    levels = apply_lut(values, pixels.voi_luts[0]) if window is None else apply_window(values, window)
    if pixels.inverted:
        np.subtract(255, levels, out=levels)
    if pixels.padding_values is not None:
        low, high = pixels.padding_values
        levels[(stored >= low) & (stored <= high)] = 0
    return levels


def _table(pixels: Pixels, window: Window | None) -> NDArray[np.uint8]:
    """Gray levels of all possible stored values, indexed by their bit patterns: uint8 [256] or [65536]."""
    rescale = pixels.rescale
    if window is None or rescale.table is not None:
        return _levels(pixels, _all_values(pixels.stored.dtype.str), window)
    kind, padding = pixels.stored.dtype.str, pixels.padding_values
    return _plain_table(kind, rescale.slope, rescale.intercept, window, pixels.inverted, padding)


@lru_cache(maxsize=16)
def _plain_table(
    kind: str, slope: float, intercept: float, window: Window, inverted: bool, padding: tuple[int, int] | None
) -> NDArray[np.uint8]:
    """Cached, since most slices of a stack share one table."""
    stored = _all_values(kind)
    like = Pixels(stored, rescale=Rescale(slope, intercept), inverted=inverted, padding_values=padding)
    return _levels(like, stored, window)


@lru_cache(maxsize=4)
def _all_values(kind: str) -> NDArray[Any]:
    """All values of an 8-bit or 16-bit integer type, ordered by bit pattern."""
    bits = 8 * np.dtype(kind).itemsize
    return np.arange(1 << bits, dtype=f"u{bits // 8}").view(kind)


def _look_up(table: NDArray[np.uint8], stored: NDArray[Any]) -> NDArray[np.uint8]:
    """In blocks, because NumPy widens each index to 64 bits, and a block of those fits the CPU cache."""
    patterns = np.ascontiguousarray(stored).view(f"u{stored.dtype.itemsize}").ravel()
    levels = np.empty(patterns.shape, np.uint8)
    for start in range(0, patterns.size, _BLOCK):
        np.take(table, patterns[start : start + _BLOCK], out=levels[start : start + _BLOCK], mode="clip")
    return levels.reshape(stored.shape)


@cache
def presets(modality: str) -> tuple[Window, ...]:
    """The window presets of a modality, in the order of the menu; empty for a modality without."""
    return tuple(
        Window(float(row["center"]), float(row["width"]), "LINEAR", str(row["name"]))
        for row in _preset_rows().get(modality.upper(), [])
    )


@cache
def _preset_rows() -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = json.loads(resource_path("window_presets.json").read_text("utf-8"))
    return rows


def import_window(pixels: Pixels, body_part: str = "") -> Window:
    """The window for a frame that is archived: for CT in HU the preset of the body part, else the file's default.

    Files often keep whatever window was last set by hand; one preset per body part makes cases comparable.
    """
    if pixels.unit == "HU" and pixels.modality == "CT":
        part = body_part.upper()
        for row in _preset_rows()["CT"]:
            if any(word in part for word in row.get("body_parts", [])):
                return Window(float(row["center"]), float(row["width"]), "LINEAR", str(row["name"]))
    return default_window(pixels)
