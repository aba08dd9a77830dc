"""Finds the pixels inside a figure and calculates statistics of their values. Knows no files and no screen.

A pixel is inside when its center is. Padding pixels never count.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.image.pixels import Pixels
from engine.study import Point


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of the modality values inside a figure."""

    count: int
    mean: float
    deviation: float
    """Population standard deviation (divided by the number of pixels)."""
    lowest: float
    highest: float
    unit: str
    """For example "HU"; "" if the file does not state one."""


@dataclass(frozen=True, slots=True)
class Region:
    """The pixels inside a figure: a mask over a part of the frame."""

    top: int
    left: int
    mask: NDArray[np.bool_]
    """bool [H, W], whose first pixel is that in row `top` and column `left` of the frame."""


def rectangle(corner: Point, opposite: Point, shape: tuple[int, int]) -> Region:
    """Pixels inside the rectangle between two opposite corners, on a frame of `shape` (rows, columns)."""
    top, left, rows, columns = _centers((corner, opposite), shape)
    return Region(top, left, np.ones((len(rows), len(columns)), bool))


def ellipse(corner: Point, opposite: Point, shape: tuple[int, int]) -> Region:
    """Pixels inside the ellipse inscribed in the rectangle between two opposite corners."""
    top, left, rows, columns = _centers((corner, opposite), shape)
    (x0, y0), (x1, y1) = corner, opposite
    half_width, half_height = max(abs(x1 - x0) / 2, 1e-9), max(abs(y1 - y0) / 2, 1e-9)
    across = ((columns - (x0 + x1) / 2) / half_width) ** 2
    down = ((rows - (y0 + y1) / 2) / half_height) ** 2
    return Region(top, left, down[:, None] + across[None, :] <= 1)


def outline(points: Sequence[Point], shape: tuple[int, int]) -> Region:
    """Pixels inside a closed outline, by the even-odd rule."""
    top, left, rows, columns = _centers(points, shape)
    mask = np.zeros((len(rows), len(columns)), bool)
    start = np.array(points, float).reshape(-1, 2)
    end = np.roll(start, -1, axis=0)
    for index, row in enumerate(rows):
        spanning = (start[:, 1] <= row) != (end[:, 1] <= row)
        a, b = start[spanning], end[spanning]
        crossings = np.sort(a[:, 0] + (row - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0]))
        mask[index] = np.searchsorted(crossings, columns) % 2 == 1
    return Region(top, left, mask)


def _centers(
    points: Sequence[Point], shape: tuple[int, int]
) -> tuple[int, int, NDArray[np.float64], NDArray[np.float64]]:
    """First row and first column whose centers lie in the bounding box of the points, and all centers in it."""
    x, y = np.array(points, float).reshape(-1, 2).T
    ranges = []
    for values, size in ((y, shape[0]), (x, shape[1])):
        first = int(np.clip(np.ceil(values.min() - 0.5), 0, size))
        last = int(np.clip(np.floor(values.max() - 0.5), -1, size - 1))
        ranges.append((first, np.arange(first, last + 1) + 0.5))
    (top, rows), (left, columns) = ranges
    return top, left, rows.astype(np.float64), columns.astype(np.float64)


def statistics(pixels: Pixels, region: Region) -> Statistics | None:
    """Statistics of the modality values in a region; None for color images and for a region without pixels."""
    if pixels.is_color:
        return None
    bottom, right = region.top + region.mask.shape[0], region.left + region.mask.shape[1]
    box = slice(region.top, bottom), slice(region.left, right)
    padding = pixels.padding_at(box)
    values = pixels.values_at(box)[region.mask if padding is None else region.mask & ~padding]
    if not values.size:
        return None
    mean = float(values.mean(dtype=np.float64))
    deviation = float(np.sqrt(np.square(values - mean, dtype=np.float64).mean()))
    return Statistics(int(values.size), mean, deviation, float(values.min()), float(values.max()), pixels.unit)


def value_at(pixels: Pixels, point: Point) -> float | tuple[int, int, int] | None:
    """Modality value, or RGB color, of the pixel under a point; None outside the image and on padding."""
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
