"""How long the scale bar is. Pure functions; knows no widgets."""

from math import inf

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.geometry.spacing import PixelSpacing

_STEPS = (1, 2, 5)
SHARE = 0.25
"""Of the viewport's height that the bar may take."""


def scale_bar(view: View, shape: Shape, scale: PixelSpacing, room: float = inf) -> tuple[float, str] | None:
    """Length down the screen in logical pixels and its words, a round number of millimetres; None without them.

    The bar stands upright: turned images exchange rows and columns, so the scale is that of the direction now down.
    room: logical pixels that are free for it.
    """
    if not scale.in_mm:
        return None
    _, b, _, d, *_ = geometry.transform(view, shape)
    per_mm = abs(d) / scale.row if abs(d) > abs(b) else abs(b) / scale.column
    most = min(view.height * SHARE, room) / per_mm
    best = 0.0
    for power in range(-2, 4):
        for step in _STEPS:
            length = step * 10.0**power
            best = length if length <= most else best
    if not best:
        return None
    return best * per_mm, f"{best / 10:g} cm" if best >= 10 else f"{best:g} mm"
