"""Maps between image and viewport: scale, pan, aspect, rotation, flip. Pure functions; knows no widgets.

Screen points are logical pixels (right, down) from the viewport's top left corner. Image points are (column, row),
continuous: the outer corner of the first pixel is (0, 0), its center (0.5, 0.5), like the PIXEL units of graphic
annotations (PS3.3 C.10.5.1.2).
"""

from dataclasses import dataclass, replace

from engine.study import Point

Edges = tuple[str, str, str, str]
"""Letters at the left, top, right and bottom edge."""
MIN_SCALE, MAX_SCALE = 0.02, 64.0
MIN_ENLARGEMENT = 4.0
"""A picture can be zoomed to this many times its fitted size, whatever MAX_SCALE: one of 10 x 10 pixels is fitted at a
scale above that."""
MIN_RECTANGLE = 8.0
"""Logical pixels: a rectangle narrower than this was a click."""


@dataclass(frozen=True, slots=True)
class View:
    """How a picture lies in its viewport."""

    width: float = 1.0
    """Of the viewport, in logical pixels."""
    height: float = 1.0
    device_ratio: float = 1.0
    """Device pixels per logical pixel."""
    scale: float | None = None
    """Logical pixels per image pixel along the finer axis; None fits the picture into the viewport."""
    pan: tuple[float, float] = (0.0, 0.0)
    """From the viewport's center to the picture's center in logical pixels (right, down)."""
    flipped: bool = False
    """Left and right exchanged, before rotation."""
    quarter_turns: int = 0
    """Rotation clockwise, 0 to 3."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture's size in pixels, and the shape of its pixels."""

    columns: int
    rows: int
    spacing: tuple[float, float] | None = None
    """Height and width of a pixel; None: pixels are shown square."""
    in_mm: bool = True
    """The spacing is in millimeters; else only its ratio is known."""

    def extent(self) -> tuple[float, float]:
        """Width and height on screen at scale 1, with the right aspect, before rotation."""
        row, column = self.spacing or (1.0, 1.0)
        if row <= 0 or column <= 0:
            row = column = 1.0
        finer = min(row, column)
        return self.columns * column / finer, self.rows * row / finer


def rotated_extent(view: View, shape: Shape) -> tuple[float, float]:
    """Width and height on screen at scale 1, after rotation."""
    width, height = shape.extent()
    return (height, width) if view.quarter_turns % 2 else (width, height)


def fit_scale(view: View, shape: Shape) -> float:
    """The scale at which the whole picture fits into the viewport."""
    width, height = rotated_extent(view, shape)
    return max(MIN_SCALE, min(view.width / width, view.height / height))


def scale_of(view: View, shape: Shape) -> float:
    """The scale in use: that of the view, or the one that fits."""
    return view.scale if view.scale is not None else fit_scale(view, shape)


def screen_pixels(view: View, shape: Shape) -> tuple[float, float]:
    """How many device pixels lie along the whole picture's rows and along its columns, before rotation."""
    scale = scale_of(view, shape) * view.device_ratio
    width, height = shape.extent()
    return width * scale, height * scale


def rectangle(view: View, shape: Shape) -> tuple[float, float, float, float]:
    """(left, top, width, height) of the whole picture in the viewport, after rotation."""
    scale = scale_of(view, shape)
    width, height = (side * scale for side in rotated_extent(view, shape))
    return (view.width - width) / 2 + view.pan[0], (view.height - height) / 2 + view.pan[1], width, height


def transform(view: View, shape: Shape) -> tuple[float, float, float, float, float, float]:
    """(a, b, c, d, e, f): image to screen, x = a column + c row + e, y = b column + d row + f.

    The order of the six is that of QTransform(m11, m12, m21, m22, dx, dy).
    """
    scale = scale_of(view, shape)
    width, height = shape.extent()
    across, along = width * scale / shape.columns, height * scale / shape.rows
    if view.flipped:
        across = -across
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[view.quarter_turns % 4]
    a, b, c, d = across * cosine, across * sine, -along * sine, along * cosine
    center_x, center_y = view.width / 2 + view.pan[0], view.height / 2 + view.pan[1]
    e = center_x - a * shape.columns / 2 - c * shape.rows / 2
    f = center_y - b * shape.columns / 2 - d * shape.rows / 2
    return a, b, c, d, e, f


def to_screen(view: View, shape: Shape, image_point: Point) -> Point:
    """Image (column, row) to screen (x, y)."""
    a, b, c, d, e, f = transform(view, shape)
    column, row = image_point
    return a * column + c * row + e, b * column + d * row + f


def to_image(view: View, shape: Shape, screen_point: Point) -> Point:
    """Screen (x, y) to image (column, row); outside the picture as well."""
    a, b, c, d, e, f = transform(view, shape)
    x, y = screen_point[0] - e, screen_point[1] - f
    size = a * d - b * c
    return (d * x - c * y) / size, (a * y - b * x) / size


def edges_on_screen(view: View, edges: Edges) -> Edges:
    """Orientation letters of a frame as stored (left, top, right, bottom) moved to where they are on screen."""
    left, top, right, bottom = edges
    if view.flipped:
        left, right = right, left
    for _ in range(view.quarter_turns % 4):
        left, top, right, bottom = bottom, left, top, right
    return left, top, right, bottom


def rotated(view: View, quarter_turns: int) -> View:
    """Rotate clockwise; what lies in the viewport's center stays there."""
    x, y = view.pan
    for _ in range(quarter_turns % 4):
        x, y = -y, x
    return replace(view, quarter_turns=(view.quarter_turns + quarter_turns) % 4, pan=(x, y))


def flipped(view: View, horizontally: bool) -> View:
    """Exchange left and right, or top and bottom, as seen on screen, whatever the rotation."""
    turns = -view.quarter_turns if horizontally else 2 - view.quarter_turns
    x, y = view.pan
    pan = (-x, y) if horizontally else (x, -y)
    return replace(view, flipped=not view.flipped, quarter_turns=turns % 4, pan=pan)


def upright(view: View) -> View:
    """Show as stored: neither rotated nor flipped."""
    return replace(view, flipped=False, quarter_turns=0)


def zoomed_to(view: View, shape: Shape, start: Point, end: Point) -> View:
    """Show the rectangle between two screen points as large as it fits; ignores one that is too small."""
    width, height = abs(end[0] - start[0]), abs(end[1] - start[1])
    if min(width, height) < MIN_RECTANGLE:
        return view
    center = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    factor = min(view.width / width, view.height / height)
    grown = zoomed(view, shape, factor, center)
    pan = grown.pan[0] + view.width / 2 - center[0], grown.pan[1] + view.height / 2 - center[1]
    return replace(grown, pan=pan)


def zoomed(view: View, shape: Shape, factor: float, anchor: Point | None = None) -> View:
    """Zoom so that what lies under `anchor` (a screen point; default: the center) stays there."""
    old, most = scale_of(view, shape), max(MAX_SCALE, MIN_ENLARGEMENT * fit_scale(view, shape))
    new = min(most, max(MIN_SCALE, old * factor))
    center_x, center_y = view.width / 2, view.height / 2
    x, y = anchor if anchor is not None else (center_x, center_y)
    x, y = x - center_x, y - center_y
    grown = new / old
    pan = (x - (x - view.pan[0]) * grown, y - (y - view.pan[1]) * grown)
    return replace(view, scale=new, pan=pan)


def fitted(view: View) -> View:
    """Fit the picture into the viewport, centered."""
    return replace(view, scale=None, pan=(0.0, 0.0))


def actual_pixels(view: View) -> View:
    """Show one image pixel on one device pixel, centered."""
    return replace(view, scale=1 / view.device_ratio, pan=(0.0, 0.0))


def panned(view: View, shape: Shape, right: float, down: float) -> View:
    """Move the picture, but not so far that it covers less than a quarter of the viewport in either direction."""
    _, _, width, height = rectangle(view, shape)
    limit_x, limit_y = (width + view.width) / 2 - view.width / 4, (height + view.height) / 2 - view.height / 4
    limit_x, limit_y = max(limit_x, 0.0), max(limit_y, 0.0)
    x = min(limit_x, max(-limit_x, view.pan[0] + right))
    y = min(limit_y, max(-limit_y, view.pan[1] + down))
    return replace(view, scale=scale_of(view, shape), pan=(x, y))
