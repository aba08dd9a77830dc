"""Image pyramids: 8-bit images and stored values at half the size, against aliasing and to save work in small views.

Knows neither Qt nor files.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels

SMALLEST = 256
"""Pixels of the longest side at least."""
_BLOCK = 1 << 19
"""Bytes processed together."""


def halvings(size: tuple[int, int], needed: tuple[float, float]) -> int:
    """How often an image can be halved and still have a pixel for each device pixel.

    Args:
        size: rows and columns of the image.
        needed: device pixels that its rows and columns cover.
    """
    times, (rows, columns) = 0, size
    while _can_halve(rows, columns) and rows // 2 >= needed[0] and columns // 2 >= needed[1]:
        times, rows, columns = times + 1, rows // 2, columns // 2
    return times


def halved(pixels: Pixels, times: int) -> tuple[Pixels, int]:
    """Halve the stored values by means over 2 x 2, up to `times` times; also returns how many halvings were made.

    Each halving quarters the work of windowing; graphics cards also scale before they window. A mean that includes
    padding is padding. Makes none where a mean of stored values is meaningless: colors, and lookup tables of the file.
    """
    plain = pixels.stored.ndim == 2 and pixels.stored.dtype.kind in "iu" and pixels.stored.dtype.itemsize <= 2
    if not plain or pixels.supplemental_colors is not None or pixels.rescale.table is not None or pixels.voi_luts:
        return pixels, 0
    stored, padding, made = pixels.stored, pixels.padding if times else None, 0
    while made < times and _can_halve(stored.shape[0], stored.shape[1]):
        stored, padding, made = halve(stored), None if padding is None else any_of_four(padding), made + 1
    if not made:
        return pixels, 0
    return replace(pixels, stored=stored, masked=padding, padding_values=None, overlays=(), shutter=None), made


def pyramid(image: NDArray[np.uint8], smallest: int = SMALLEST) -> tuple[NDArray[np.uint8], ...]:
    """The image, and its means over 2 x 2 pixels while the longest side stays at least `smallest`."""
    levels = [np.ascontiguousarray(image)]
    while _can_halve(levels[-1].shape[0], levels[-1].shape[1], smallest):
        levels.append(halve(levels[-1]))
    return tuple(levels)


def halve(image: NDArray[Any]) -> NDArray[Any]:
    """Mean over 2 x 2 pixels of 8 or 16 bits, halves rounded up; an odd last row or column is left out.

    Integers [H, W] or [H, W, 3], at least 2 x 2; the same type comes back. Block by block, to stay in the cache.
    """
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    even, wide = image[:height, :width], f"{image.dtype.kind}{2 * image.dtype.itemsize}"
    means = np.empty((height // 2, width // 2, *image.shape[2:]), image.dtype)
    step = max(1, _BLOCK // even[:2].nbytes)
    for start in range(0, len(means), step):
        block = even[2 * start : 2 * (start + step)]
        rows = np.add(block[0::2], block[1::2], dtype=wide)
        total = rows[:, 0::2] + rows[:, 1::2]
        total += 2
        total >>= 2
        means[start : start + step] = total
    return means


def any_of_four(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether any of 2 x 2 is set, bool [H // 2, W // 2]; an odd last row or column is left out."""
    height, width = mask.shape[0] // 2 * 2, mask.shape[1] // 2 * 2
    pairs = mask[:height, :width].view(np.uint16)  # two neighbors at once
    found: NDArray[np.bool_] = (pairs[0::2] | pairs[1::2]) != 0
    return found


def _can_halve(rows: int, columns: int, smallest: int = SMALLEST) -> bool:
    return max(rows, columns) >= 2 * smallest and min(rows, columns) >= 2
