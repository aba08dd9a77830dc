"""Where the picture lies in its viewport: scale, pan, aspect. Pure functions, logical pixels; knows no widgets."""

from dataclasses import dataclass, replace

MIN_SCALE, MAX_SCALE = 0.02, 64.0


@dataclass(frozen=True, slots=True)
class View:
    """What part of a picture is seen.

    width, height: the viewport in logical pixels; device_ratio: device pixels per logical pixel.
    scale: logical pixels per image pixel (of the finer axis); None fits the picture into the viewport.
    pan: offset of the picture's centre from the viewport's centre, logical pixels (right, down).
    """

    width: float = 1.0
    height: float = 1.0
    device_ratio: float = 1.0
    scale: float | None = None
    pan: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture's size in pixels and the shape of its pixels (rows further apart than columns: tall pixels)."""

    columns: int
    rows: int
    spacing: tuple[float, float] | None = None
    """Millimetres from row to row and from column to column; None: square pixels are shown."""

    def extent(self) -> tuple[float, float]:
        """Width and height on the screen at scale 1, with the right aspect."""
        row, column = self.spacing or (1.0, 1.0)
        if row <= 0 or column <= 0:
            row = column = 1.0
        finer = min(row, column)
        return self.columns * column / finer, self.rows * row / finer


def fit_scale(view: View, shape: Shape) -> float:
    width, height = shape.extent()
    return max(MIN_SCALE, min(view.width / width, view.height / height))


def scale_of(view: View, shape: Shape) -> float:
    return view.scale if view.scale is not None else fit_scale(view, shape)


def rectangle(view: View, shape: Shape) -> tuple[float, float, float, float]:
    """(left, top, width, height) of the whole picture in the viewport."""
    scale = scale_of(view, shape)
    width, height = (side * scale for side in shape.extent())
    return (view.width - width) / 2 + view.pan[0], (view.height - height) / 2 + view.pan[1], width, height


def zoomed(view: View, shape: Shape, factor: float, anchor: tuple[float, float] | None = None) -> View:
    """Zoom so that what lies under `anchor` (viewport position, default its centre) stays there."""
    old = scale_of(view, shape)
    new = min(MAX_SCALE, max(MIN_SCALE, old * factor))
    centre_x, centre_y = view.width / 2, view.height / 2
    x, y = anchor if anchor is not None else (centre_x, centre_y)
    x, y = x - centre_x, y - centre_y
    grown = new / old
    pan = (x - (x - view.pan[0]) * grown, y - (y - view.pan[1]) * grown)
    return replace(view, scale=new, pan=pan)


def fitted(view: View) -> View:
    return replace(view, scale=None, pan=(0.0, 0.0))


def actual_size(view: View) -> View:
    """One image pixel on one pixel of the screen."""
    return replace(view, scale=1 / view.device_ratio, pan=(0.0, 0.0))


def panned(view: View, shape: Shape, right: float, down: float) -> View:
    """Move the picture, but never wholly out of sight: a quarter of the viewport stays covered if it was."""
    _, _, width, height = rectangle(view, shape)
    limit_x, limit_y = (width + view.width) / 2 - view.width / 4, (height + view.height) / 2 - view.height / 4
    limit_x, limit_y = max(limit_x, 0.0), max(limit_y, 0.0)
    x = min(limit_x, max(-limit_x, view.pan[0] + right))
    y = min(limit_y, max(-limit_y, view.pan[1] + down))
    return replace(view, scale=scale_of(view, shape), pan=(x, y))
