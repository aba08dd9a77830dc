"""Pure functions between decoded pixels and what the viewport paints. Knows neither Qt nor files.

All of this runs on a worker; a request is a snapshot and nothing it holds changes.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.pixels import Pixels, read_frame
from engine.study import FrameRef, Series
from engine.window import Window, default_window, render

Image = NDArray[np.uint8]
_ROWS = 16
"""Pairs of rows that are worked on together, to stay in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """Which frame, at which window, to make a picture of."""

    series: Series
    index: int
    """0-based position in the series' stack."""
    window: Window | None
    """None: the frame's own default."""
    inverted: bool
    pixels: Pixels | None
    """The decoded frame when it is at hand, else it is read."""

    @property
    def ref(self) -> FrameRef:
        return self.series.frames[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One frame rendered for the screen."""

    series: Series
    index: int
    pixels: Pixels
    window: Window | None
    """The window in use; None for colour. For a VOI lookup table, the range that it covers."""
    inverted: bool
    image: Image
    """uint8 [H, W] or [H, W, 3] as a search sees it: never inverted by the user."""
    levels: tuple[Image, ...]
    """The picture to paint, at full size and halved again and again, so that a reduced view does not shimmer."""

    @property
    def ref(self) -> FrameRef:
        return self.series.frames[self.index]

    @property
    def colour(self) -> bool:
        return self.image.ndim == 3


def make_picture(request: Request, read: Callable[[FrameRef], Pixels] = read_frame) -> Picture:
    """Decode if needed, render at the window, prepare the reduced levels.

    Raises:
        UserError: the frame cannot be read.
    """
    pixels = request.pixels if request.pixels is not None else read(request.ref)
    image = render(pixels, request.window)
    window = None if pixels.is_color else request.window or default_window(pixels)
    shown = np.subtract(255, image, dtype=np.uint8) if request.inverted else image
    return Picture(request.series, request.index, pixels, window, request.inverted, image, pyramid(shown))


def part(pixels: Pixels, start: tuple[float, float], end: tuple[float, float], smallest: int = 3) -> Pixels | None:
    """The rectangle between two image positions (column, row) as pixels of its own; None when it is hardly any."""
    columns, rows = ((int(min(pair)), int(max(pair)) + 1) for pair in zip(start, end, strict=True))
    height, width = pixels.stored.shape[:2]
    where = slice(max(0, rows[0]), min(height, rows[1])), slice(max(0, columns[0]), min(width, columns[1]))
    found = pixels.region(where)
    return None if min(found.stored.shape[:2]) < smallest else found


def pyramid(image: Image, smallest: int = 256) -> tuple[Image, ...]:
    """The image, and its means over 2 x 2 pixels while the longest side stays above `smallest`."""
    levels = [np.ascontiguousarray(image)]
    while max(levels[-1].shape[:2]) >= 2 * smallest and min(levels[-1].shape[:2]) >= 2:
        levels.append(halve(levels[-1]))
    return tuple(levels)


def halve(image: Image) -> Image:
    """Mean over 2 x 2 pixels, rounded; an odd last row or column is left out."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    even = image[:height, :width]
    if image.ndim == 2 and sys.byteorder == "little":
        return _halve_gray(np.ascontiguousarray(even))
    total = even[0::2, 0::2].astype(np.uint16)
    total += even[1::2, 0::2]
    total += even[0::2, 1::2]
    total += even[1::2, 1::2]
    return ((total + 2) >> 2).astype(np.uint8)


def _halve_gray(image: Image) -> Image:
    """`halve` for even gray images. Two neighbours are one 16-bit word: its halves are added without strided access."""
    pairs = image.view(np.uint16).reshape(image.shape[0] // 2, 2, -1)
    halved = np.empty((pairs.shape[0], pairs.shape[2]), np.uint8)
    for start in range(0, len(pairs), _ROWS):
        block = pairs[start : start + _ROWS]
        total = block & 0xFF
        total += block >> 8
        both = total[:, 0] + total[:, 1]
        both += 2
        both >>= 2
        halved[start : start + _ROWS] = both
    return halved


def middle(series: Series) -> FrameRef:
    """The frame that stands for a stack in the list."""
    return series.frames[len(series.frames) // 2]


def thumbnail(ref: FrameRef, pixels: Pixels | None = None, side: int = 160) -> tuple[Image, Pixels]:
    """A frame made small, and its pixels, which are decoded unless they are given.

    The small one is uint8 [H, W] or [H, W, 3] with the longest side at most 2 x `side`.
    """
    pixels = pixels or read_frame(ref)
    image = render(pixels)
    while max(image.shape[:2]) >= 2 * side and min(image.shape[:2]) >= 2:
        image = halve(image)
    return np.ascontiguousarray(image), pixels


def byte_size(pixels: Pixels) -> int:
    return pixels.nbytes
