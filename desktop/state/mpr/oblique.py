"""Turns the oblique plane of MPR, by keys and by the mouse. Knows no widgets and samples nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject
from typing_extensions import override

from desktop.state.mpr.mpr import MprState
from desktop.state.viewer import geometry
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.tools import Gesture, Tool
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.geometry.planes import normal, to_image, to_patient
from engine.geometry.reference_lines import reference_line
from engine.geometry.spacing import pixel_shape
from engine.image.mpr import is_plane
from engine.image.oblique import Tilt, is_oblique, turned
from engine.study import FrameRef, Point, Vector

STEP = 5.0
"""Degrees of one key."""
PER_PIXEL = 0.4
"""Degrees of one logical pixel of a drag on the oblique plane itself."""
NEAR = 12.0
"""Logical pixels around the center within which the mouse gives no direction."""
NO_PLANE = "Only a plane of MPR can be turned; make one the active viewport first."


class ObliqueState(QObject):
    """One oblique plane at a time. The first turn copies the plane of the active viewport, where it is."""

    def __init__(self, mpr: MprState, layout: LayoutState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mpr, self._layout = mpr, layout
        self._followed: ViewportState | None = None
        mpr.changed.connect(self._follow)

    @property
    def shown(self) -> bool:
        """Whether an oblique plane is on screen."""
        return self._mpr.oblique_viewport is not None

    @property
    def frame(self) -> FrameRef | None:
        """The oblique plane on screen; None for none."""
        viewport = self._mpr.oblique_viewport
        return None if viewport is None else _frame(viewport)

    def line_on(self, shown: FrameRef) -> tuple[Point, Point, Point] | None:
        """Where it cuts another plane of MPR, as the ends of a line and the center, in image points of that plane."""
        frame, center = self.frame, self.center
        if frame is None or center is None or not is_plane(shown) or is_oblique(shown):
            return None
        ends, middle = reference_line(frame, shown), to_image(shown, center)
        return None if ends is None or middle is None else (*ends, middle[0])

    @property
    def center(self) -> Vector | None:
        """The position about which it is turned, on the plane on screen."""
        tilt, viewport = self._mpr.tilt, self._mpr.oblique_viewport
        if tilt is None or viewport is None or viewport.series is None:
            return None
        return _onto(viewport.series.frames[viewport.index], tilt.center)

    def turn(self, across: float, along: float) -> None:
        """Turn the plane by steps, as a drag to the right (`across`) or up (`along`) turns what is in front.

        Raises:
            UserError: the active viewport shows no plane of MPR, and there is no oblique one yet.
        """
        viewport = self._mpr.oblique_viewport or self._layout.active
        self.turn_in(viewport, across * STEP, along * STEP)

    def turn_in(self, viewport: ViewportState, across: float, along: float) -> None:
        """Turn the oblique plane, or a copy of the plane of a viewport, about the axes of the screen in degrees.

        Raises:
            UserError: the viewport shows no plane of MPR.
        """
        tilt = self._tilt() or self._tilt_of(viewport)
        right, down = _screen_axes(viewport)
        if across:
            tilt = turned(tilt, down, across)
        if along:
            tilt = turned(tilt, right, along)
        self._mpr.show_oblique(tilt)

    def point_to(self, viewport: ViewportState, point: Point) -> None:
        """Turn the oblique plane about the normal of another plane, until its line there goes through a point.

        Args:
            viewport: it shows another plane.
            point: in its screen.
        """
        tilt = self._tilt() or self._across(viewport)
        frame, target = _frame(viewport), viewport.to_image(point)
        if frame is None or frame.orientation is None or target is None or viewport.shape is None:
            return
        center = to_image(frame, tilt.center)
        position = to_patient(frame, target)
        if center is None or position is None:
            return
        x, y = geometry.to_screen(viewport.view, viewport.shape, center[0])
        if np.hypot(point[0] - x, point[1] - y) < NEAR:
            return
        axis = np.array(normal(frame.orientation))
        line = np.cross(normal(tilt.orientation), axis)
        wanted = np.subtract(position, tilt.center)
        wanted = wanted - axis * (wanted @ axis)
        if np.linalg.norm(line) < 1e-3:
            return  # parallel planes: it has no line here
        angle = float(np.degrees(np.arctan2(np.cross(line, wanted) @ axis, line @ wanted)))
        angle -= 180 * round(angle / 180)  # a line has no direction
        self._mpr.show_oblique(turned(tilt, _vector(axis), angle))

    def center_at(self, viewport: ViewportState, point: Point) -> None:
        """Turn about another position, at a point on the screen of a viewport; the oblique plane goes through it."""
        tilt, frame, target = self._tilt(), _frame(viewport), viewport.to_image(point)
        position = None if frame is None or target is None else to_patient(frame, target)
        if tilt is not None and position is not None:
            self._mpr.show_oblique(Tilt(tilt.orientation, position))

    def _follow(self) -> None:
        """Paint the line on the other planes anew when the oblique plane changes."""
        now = self._mpr.oblique_viewport
        if now is not self._followed:
            if self._followed is not None:
                self._followed.index_changed.disconnect(self._repaint)
            if now is not None:
                now.index_changed.connect(self._repaint)
            self._followed = now
        self._repaint()

    def _repaint(self) -> None:
        for viewport in self._layout.viewports:
            if viewport is not self._followed and self._mpr.shows_plane(viewport):
                viewport.overlay_changed.emit()

    def _tilt(self) -> Tilt | None:
        """The oblique plane on screen, with the center on it."""
        center = self.center
        return None if self._mpr.tilt is None or center is None else Tilt(self._mpr.tilt.orientation, center)

    def _tilt_of(self, viewport: ViewportState) -> Tilt:
        """A plane of MPR as it lies, about the middle of what is on screen of it."""
        frame = _frame(viewport)
        if not self._mpr.shows_plane(viewport) or frame is None or frame.orientation is None:
            raise UserError(NO_PLANE)
        middle = _image_point(viewport, (viewport.view.width / 2, viewport.view.height / 2))
        columns, rows = frame.image.columns, frame.image.rows
        inside = min(columns - 0.5, max(0.5, middle[0])), min(rows - 0.5, max(0.5, middle[1]))
        center = to_patient(frame, inside)
        assert center is not None
        return Tilt(frame.orientation, center)

    def _across(self, viewport: ViewportState) -> Tilt:
        """A first oblique plane that cuts that of a viewport: another plane of MPR, about the middle of this one."""
        center = self._tilt_of(viewport).center
        assert self._mpr.planes is not None
        others = [series for series in self._mpr.planes.series[:3] if series is not viewport.series]
        orientation = others[0].frames[0].orientation
        assert orientation is not None
        return Tilt(orientation, center)


class TurnPlaneTool(Tool):
    """Drag on a plane: the oblique plane turns until its line goes through the mouse. On itself: it turns with it.

    A double click makes the position there the center.
    """

    cursor = "cross"

    def __init__(self, oblique: ObliqueState, mpr: MprState) -> None:
        self._oblique, self._mpr = oblique, mpr

    @override
    def move(self, gesture: Gesture) -> None:
        if not self._mpr.shows_plane(gesture.viewport):
            return
        if gesture.viewport is self._mpr.oblique_viewport:
            right, down = gesture.moved
            self._oblique.turn_in(gesture.viewport, PER_PIXEL * right, -PER_PIXEL * down)
        else:
            self._oblique.point_to(gesture.viewport, gesture.screen_point)

    @override
    def double_click(self, gesture: Gesture) -> bool:
        if self._mpr.shows_plane(gesture.viewport):
            self._oblique.center_at(gesture.viewport, gesture.screen_point)
        return True


def _frame(viewport: ViewportState) -> FrameRef | None:
    return None if viewport.series is None else viewport.series.frames[viewport.index]


def _onto(frame: FrameRef, position: Vector) -> Vector:
    """The nearest position on the plane of a frame."""
    seen = to_image(frame, position)
    if seen is None or frame.orientation is None:
        return position
    return _vector(np.subtract(position, np.array(normal(frame.orientation)) * seen[1]))


def _screen_axes(viewport: ViewportState) -> tuple[Vector, Vector]:
    """Directions in the patient to the right and down on screen, also of an image that is rotated or flipped."""
    frame = _frame(viewport)
    if frame is None or frame.orientation is None:
        raise UserError(NO_PLANE)
    found = []
    origin = to_patient(frame, _image_point(viewport, (0, 0)))
    for end in ((100, 0), (0, 100)):
        position = to_patient(frame, _image_point(viewport, end))
        assert position is not None
        assert origin is not None
        found.append(_vector(np.subtract(position, origin)))
    return found[0], found[1]


def _image_point(viewport: ViewportState, point: Point) -> Point:
    """An image point, also while the picture of a plane that was just turned is still being made."""
    frame, shape = _frame(viewport), viewport.shape
    assert frame is not None
    coming = geometry.Shape(frame.image.columns, frame.image.rows, pixel_shape(frame), frame.spacing is not None)
    return geometry.to_image(viewport.view, shape or coming, point)


def _vector(array: NDArray[Any]) -> Vector:
    x, y, z = (float(part) for part in array)
    return (x, y, z)
