"""The VOI transformations of PS3.3 C.11.2 as pure functions. Knows no files and chooses no window."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import UserError

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
"""Values of VOI LUT Function (0028,1056), PS3.3 C.11.2.1.3."""


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window (PS3.3 C.11.2.1.2), in modality values (HU for CT)."""

    center: float
    width: float
    function: str = "LINEAR"
    """One of FUNCTIONS."""
    name: str = ""
    """On screen: a preset's name, or Window Center & Width Explanation (0028,1055)."""


@dataclass(frozen=True, slots=True, eq=False)
class VoiLut:
    """A VOI lookup table (PS3.3 C.11.2.1.1), or a modality lookup table (C.11.1.1)."""

    first: int
    """The input value of the first entry, which smaller values map to as well."""
    entries: NDArray[np.uint16]
    """uint16 [N]: outputs for `first`, `first` + 1 ...; larger values map to the last entry."""
    bits: int
    """Bits per entry: 2**bits - 1 is white."""
    name: str = ""
    """LUT Explanation (0028,3003)."""


def apply_window(values: NDArray[np.float32], window: Window) -> NDArray[np.uint8]:
    """Map modality values to gray levels 0 to 255, rounded half up.

    A LINEAR window narrower than 1, which the standard forbids but devices write for non-integer values, is applied as
    LINEAR_EXACT.

    Args:
        values: float32 of any shape, finite modality values.
        window: in modality values.

    Returns:
        uint8 of the same shape.

    Raises:
        UserError: the width is not a positive number, or the center is not a number.
    """
    center, width = float(window.center), float(window.width)
    if not (np.isfinite(center) and np.isfinite(width) and width > 0):
        raise UserError("A window needs a center and a width above 0; choose another window.")
    with np.errstate(over="ignore"):
        if window.function == "SIGMOID":
            level = values.astype(np.float64)
            level -= center
            level *= -4 / width
            np.exp(level, out=level)
            level += 1
            return _to_bytes((255 / level).astype(np.float32))
        if window.function == "LINEAR" and width >= 1:
            if width == 1:
                return np.where(values > center - 0.5, np.uint8(255), np.uint8(0))
            low, span = center - 0.5 - (width - 1) / 2, width - 1
        else:
            low, span = center - width / 2, width
        if span < 1e-6 * max(1.0, abs(center)):  # too narrow for float32: a threshold
            return np.where(values > center, np.uint8(255), np.uint8(0))
        level32 = values - np.float32(low)
        level32 *= np.float32(255 / span)
        return _to_bytes(level32)


def apply_lut(values: NDArray[np.float32], lut: VoiLut) -> NDArray[np.uint8]:
    """Map float32 modality values through a VOI LUT to uint8 gray levels 0 to 255, in the same shape."""
    index = np.clip(values - lut.first, 0, len(lut.entries) - 1).astype(np.intp)
    white = (1 << lut.bits) - 1
    levels = np.clip(lut.entries.astype(np.float32) * np.float32(255 / white), 0, 255)
    table: NDArray[np.uint8] = np.floor(levels + np.float32(0.5)).astype(np.uint8)
    return table[index]


def _to_bytes(level: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round half up and clip to 0 to 255, in place."""
    level += np.float32(0.5)
    np.clip(level, 0, 255.5, out=level)
    return level.astype(np.uint8)
