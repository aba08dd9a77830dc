"""Renders decoded pixels for the viewport. Pure functions; knows neither Qt nor files.

All of this runs on a worker; a request is a snapshot, and nothing it holds changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desktop.state.pictures.pyramid import halved, pyramid
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import default_window, render
from engine.study import FrameRef, Point, Series

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PictureRequest:
    """A snapshot of what to render."""

    series: Series
    index: int
    """0-based position in the series' stack."""
    window: Window | None
    """None: the frame's default."""
    inverted: bool
    pixels: Pixels | None
    """The decoded frame if it is cached; None: it is read."""
    halvings: int = 0
    """How often it may be halved before it is windowed, because it is shown small."""
    halved: Pixels | None = None
    """The frame halved that often, if it is at hand."""

    @property
    def ref(self) -> FrameRef:
        """The frame."""
        return self.series.frames[self.index]


@dataclass(frozen=True, slots=True, eq=False)
class ScreenPicture:
    """One frame rendered for the screen."""

    series: Series
    index: int
    """0-based position in the series' stack."""
    pixels: Pixels
    requested_window: Window | None
    """The window requested; None: the frame's default."""
    window: Window | None
    """The window in use; None for color images. For a VOI lookup table, the range that it covers."""
    inverted: bool
    halved: Pixels
    """What is painted: the frame, halved `halvings` times."""
    halvings: int
    levels: tuple[Image, ...]
    """Image pyramid to paint from: as large as `halved`, then halved repeatedly, against aliasing."""

    @property
    def ref(self) -> FrameRef:
        """The frame."""
        return self.series.frames[self.index]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        rows, columns = self.pixels.stored.shape[:2]
        return rows, columns

    @property
    def is_color(self) -> bool:
        """Painted in colors of its own, so that no window applies."""
        return self.pixels.is_color or self.pixels.supplemental_colors is not None

    def image(self) -> Image:
        """uint8 [H, W] or [H, W, 3] at full size, not inverted by the user, as a search sees it. Rendered each time."""
        return render(self.pixels, self.requested_window)


def make_picture(request: PictureRequest, read: Callable[[FrameRef], Pixels] = read_frame) -> ScreenPicture:
    """Decode if needed, halve as far as possible, render at the window, and build the pyramid.

    Raises:
        UserError: the frame cannot be read.
    """
    pixels = request.pixels if request.pixels is not None else read(request.ref)
    window = None if pixels.is_color else request.window or default_window(pixels)
    small, made = (request.halved, request.halvings) if request.halved else halved(pixels, request.halvings)
    # the default window of a halved frame is that of the full frame, not of its means
    image = render(small, request.window if small is pixels else window)
    shown = np.subtract(255, image, dtype=np.uint8) if request.inverted else image
    return ScreenPicture(
        series=request.series,
        index=request.index,
        pixels=pixels,
        requested_window=request.window,
        window=window,
        inverted=request.inverted,
        halved=small,
        halvings=made,
        levels=pyramid(shown),
    )


def part_at_full_size(picture: ScreenPicture, rows: slice, columns: slice) -> Image:
    """A part of the frame as it is shown, from its own pixels even if the picture was made from fewer."""
    if picture.halvings == 0:
        return picture.levels[0][rows, columns]
    image = render(picture.pixels.region((rows, columns)), picture.window)
    return np.subtract(255, image, dtype=np.uint8) if picture.inverted else image


def crop(pixels: Pixels, start: Point, end: Point, smallest: int = 3) -> Pixels | None:
    """The rectangle between two image points (column, row); None when a side has fewer than `smallest` pixels."""
    columns, rows = ((int(min(pair)), int(max(pair)) + 1) for pair in zip(start, end, strict=True))
    height, width = pixels.stored.shape[:2]
    slices = (
        slice(max(0, rows[0]), max(0, min(height, rows[1]))),
        slice(max(0, columns[0]), max(0, min(width, columns[1]))),
    )
    cropped = pixels.region(slices)
    return None if min(cropped.stored.shape[:2]) < smallest else cropped


def box_between(
    start: Point, end: Point, shape: tuple[int, int], smallest: int = 16
) -> tuple[int, int, int, int] | None:
    """Top, left, bottom and right of the rectangle between two points (column, row), as far as the image goes.

    None when a side has fewer than `smallest` pixels.
    """
    columns, rows = (sorted((start[axis], end[axis])) for axis in (0, 1))
    top, bottom = max(0, int(rows[0])), min(shape[0], int(rows[1]) + 1)
    left, right = max(0, int(columns[0])), min(shape[1], int(columns[1]) + 1)
    return None if min(bottom - top, right - left) < smallest else (top, left, bottom, right)


def middle_frame(series: Series) -> FrameRef:
    """The frame for the thumbnail of a stack."""
    return series.frames[len(series.frames) // 2]


def thumbnail(ref: FrameRef, pixels: Pixels | None = None, side: int = 160) -> tuple[Image, Pixels]:
    """Thumbnail of a frame, and its pixels, which are decoded unless they are given.

    The thumbnail is uint8 [H, W] or [H, W, 3] with the longest side less than 2 x `side`.
    """
    pixels = pixels or read_frame(ref)
    return pyramid(render(pixels), side)[-1], pixels


def byte_size(pixels: Pixels) -> int:
    """Bytes that a decoded frame takes in the cache."""
    return pixels.nbytes
