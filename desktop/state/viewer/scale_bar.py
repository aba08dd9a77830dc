"""Length and label of the scale bar. Pure functions; knows no widgets."""

from math import inf

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.geometry.spacing import PixelSpacing

_STEPS = (1, 2, 5)
SHARE = 0.25
"""The part of the viewport's height that the bar takes at most."""


def scale_bar(view: View, shape: Shape, spacing: PixelSpacing, max_length: float = inf) -> tuple[float, str] | None:
    """Length in logical pixels and label, a round number of millimeters; None without known millimeters.

    The bar is vertical: rotated images exchange rows and columns, so the spacing is that of the direction now down.
    max_length: logical pixels that are free for it.
    """
    if not spacing.in_mm:
        return None
    _, b, _, d, *_ = geometry.transform(view, shape)
    per_mm = abs(d) / spacing.row if abs(d) > abs(b) else abs(b) / spacing.column
    longest = min(view.height * SHARE, max_length) / per_mm
    best = 0.0
    for power in range(-2, 4):
        for step in _STEPS:
            length = step * 10.0**power
            best = length if length <= longest else best
    if not best:
        return None
    return best * per_mm, f"{best / 10:g} cm" if best >= 10 else f"{best:g} mm"
