"""Defines what painters get: a viewport with its image, and conversion from image to screen coordinates.

Paints nothing and decides nothing. A painter is a function `(QPainter, Canvas) -> None`, called for each viewport with
an image, after the image and before the overlay text. Pens are in logical pixels. `painters.py` lists all painters.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath, QRegion, QTransform

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point


@dataclass(frozen=True, slots=True)
class Canvas:
    """One viewport with its image, as it is painted now."""

    state: ViewportState
    view: View
    shape: Shape
    active: bool = True
    overlay_text_visible: bool = True
    """Whether to paint overlay text, including the numbers of measurements."""
    patient_data_visible: bool = True
    """Whether to paint what may identify the patient."""
    occupied: list[QRectF] = field(default_factory=list)
    """Where text is or will be. A painter keeps its own text clear of it and adds what it covers."""
    figures: QPainterPath = field(default_factory=QPainterPath)
    """Lines of measurements, in screen coordinates. Text on such a line would seem to belong to it."""

    def to_screen(self, point: Point) -> QPointF:
        """From image to screen coordinates."""
        return QPointF(*geometry.to_screen(self.view, self.shape, point))

    @property
    def free(self) -> QRegion:
        """Where no text is or will be."""
        region = QRegion(QRectF(0, 0, self.view.width, self.view.height).toAlignedRect())
        for rect in self.occupied:
            region -= QRegion(rect.toAlignedRect())
        return region

    @property
    def transform(self) -> QTransform:
        """From image to screen coordinates, for painting in image coordinates (with cosmetic pens)."""
        return QTransform(*geometry.transform(self.view, self.shape))


Painter = Callable[[QPainter, Canvas], None]


def canvas_of(state: ViewportState, active: bool = True, occupied: Iterable[QRectF] = ()) -> Canvas | None:
    """The canvas of a viewport; None if it shows no image."""
    if state.shape is None:
        return None
    visible = state.overlay_text_visible, state.patient_data_visible
    return Canvas(state, state.view, state.shape, active, *visible, list(occupied))
