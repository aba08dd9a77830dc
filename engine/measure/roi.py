"""Which pixels a figure takes in, and what their values are. Knows no files and no screen.

A pixel counts when its centre lies inside. Pixels that are no image (padding) never count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels
from engine.study import Point

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Modality values inside a figure."""

    count: int
    mean: float
    deviation: float
    """Standard deviation of the pixels themselves (divided by their count)."""
    lowest: float
    highest: float
    unit: str
    """"HU" and the like; "" when the file does not say."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A mask over the part of a frame from (top, left) on."""

    top: int
    left: int
    mask: Mask


def rectangle(corner: Point, opposite: Point, shape: tuple[int, int]) -> _Part:
    """Pixels of a frame of `shape` (rows, columns) inside a rectangle."""
    top, left, rows, columns = _centres((corner, opposite), shape)
    return _Part(top, left, np.ones((len(rows), len(columns)), bool))


def ellipse(corner: Point, opposite: Point, shape: tuple[int, int]) -> _Part:
    """Pixels inside the ellipse that fills the rectangle between two corners."""
    top, left, rows, columns = _centres((corner, opposite), shape)
    (x0, y0), (x1, y1) = corner, opposite
    half_width, half_height = max(abs(x1 - x0) / 2, 1e-9), max(abs(y1 - y0) / 2, 1e-9)
    across = ((columns - (x0 + x1) / 2) / half_width) ** 2
    down = ((rows - (y0 + y1) / 2) / half_height) ** 2
    return _Part(top, left, down[:, None] + across[None, :] <= 1)


def outline(points: Sequence[Point], shape: tuple[int, int]) -> _Part:
    """Pixels inside a closed outline, by the even-odd rule."""
    top, left, rows, columns = _centres(points, shape)
    mask = np.zeros((len(rows), len(columns)), bool)
    start = np.array(points, float).reshape(-1, 2)
    end = np.roll(start, -1, axis=0)
    for index, row in enumerate(rows):
        over = (start[:, 1] <= row) != (end[:, 1] <= row)
        a, b = start[over], end[over]
        crossings = np.sort(a[:, 0] + (row - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        mask[index] = np.searchsorted(crossings, columns) % 2 == 1
    return _Part(top, left, mask)


def _centres(
    points: Sequence[Point], shape: tuple[int, int]
) -> tuple[int, int, NDArray[np.float64], NDArray[np.float64]]:
    """First row and column whose centres lie between the points, and the centres of all those rows and columns."""
    x, y = np.array(points, float).reshape(-1, 2).T
    ranges = []
    for values, size in ((y, shape[0]), (x, shape[1])):
        first = int(np.clip(np.ceil(values.min() - 0.5), 0, size))
        last = int(np.clip(np.floor(values.max() - 0.5), -1, size - 1))
        ranges.append((first, np.arange(first, last + 1) + 0.5))
    (top, rows), (left, columns) = ranges
    return top, left, rows.astype(np.float64), columns.astype(np.float64)


def statistics(pixels: Pixels, part: _Part) -> Statistics | None:
    """Mean, deviation, lowest and highest modality value; None for colours and where no pixel lies inside."""
    if pixels.is_color:
        return None
    bottom, right = part.top + part.mask.shape[0], part.left + part.mask.shape[1]
    here = slice(part.top, bottom), slice(part.left, right)
    padding = pixels.padding_at(here)
    values = pixels.values_at(here)[part.mask if padding is None else part.mask & ~padding]
    if not values.size:
        return None
    mean = float(values.mean(dtype=np.float64))
    deviation = float(np.sqrt(np.square(values - mean, dtype=np.float64).mean()))
    return Statistics(int(values.size), mean, deviation, float(values.min()), float(values.max()), pixels.unit)


def value_at(pixels: Pixels, point: Point) -> float | tuple[int, int, int] | None:
    """The modality value, or the colour, of the pixel under a point; None outside of the image and on padding."""
    column, row = int(np.floor(point[0])), int(np.floor(point[1]))
    if not (0 <= row < pixels.stored.shape[0] and 0 <= column < pixels.stored.shape[1]):
        return None
    if pixels.is_color:
        red, green, blue = (int(part) for part in pixels.stored[row, column])
        return red, green, blue
    padding = pixels.padding_at((row, column))
    if padding is not None and bool(padding):
        return None
    return float(pixels.values_at((row, column)))
