"""What a painter over the picture needs: where image positions lie on the screen. Decides nothing and paints nothing.

A painter is a function `(QPainter, Canvas) -> None`, called for every viewport that shows a picture, after the picture
and before the corner texts. Pens are in logical pixels. `views/painters.py` lists them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath, QTransform

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point


@dataclass(frozen=True, slots=True)
class Canvas:
    """One viewport with its picture, as it is painted now."""

    state: ViewportState
    view: View
    shape: Shape
    active: bool = True
    texts: bool = True
    """Corner texts are wanted; numbers beside a measurement follow them."""
    identity: bool = True
    """What may name the patient is wanted as well."""
    taken: list[QRectF] = field(default_factory=list)
    """Where words stand or will stand; a painter keeps its own clear of them and adds where it writes."""
    figures: QPainterPath = field(default_factory=QPainterPath)
    """The lines of measurements, on the screen: words that came to lie on one would be read as its own."""

    def to_screen(self, point: Point) -> QPointF:
        """Image (column, row) to logical pixels of the viewport."""
        return QPointF(*geometry.to_screen(self.view, self.shape, point))

    def to_image(self, place: Point) -> Point:
        return geometry.to_image(self.view, self.shape, place)

    @property
    def transform(self) -> QTransform:
        """Image positions to logical pixels, for painting in image coordinates (with cosmetic pens)."""
        return QTransform(*geometry.transform(self.view, self.shape))


Painter = Callable[[QPainter, Canvas], None]


def canvas_of(state: ViewportState, active: bool = True, taken: Iterable[QRectF] = ()) -> Canvas | None:
    """None while no picture is shown."""
    shape, texts, identity = state.shape, state.overlay_text_visible, state.patient_data_visible
    return None if shape is None else Canvas(state, state.view, shape, active, texts, identity, list(taken))
