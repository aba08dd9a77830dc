"""Draws measurements with the mouse and moves their handles. Knows no widgets; measurements are kept by their state."""

from math import hypot

from desktop.state.measure import handles
from desktop.state.measure.measurements import MeasurementsState, new, with_points
from desktop.state.viewer.tools import Gesture, Tool
from desktop.state.viewer.viewport import ViewportState
from engine.measure.measurements import POINTS, Kind, Measurement
from engine.study import Point

CLICK = 4.0
"""Logical pixels: a press and release nearer than this was a click, and the next point follows the mouse."""
OUTLINE_STEP = 3.0
"""Logical pixels between two points of a free outline."""


def inside(viewport: ViewportState, point: Point) -> Point:
    """The nearest point of the image."""
    shape = viewport.shape
    if shape is None:
        return point
    return min(float(shape.columns), max(0.0, point[0])), min(float(shape.rows), max(0.0, point[1]))


class DrawTool(Tool):
    """Sets one point after the other: by dragging, or click by click. Right for lines, angles, boxes and probes."""

    cursor = "cross"

    def __init__(self, measurements: MeasurementsState, kind: Kind) -> None:
        self._measurements, self.kind = measurements, kind
        self._viewport: ViewportState | None = None
        self._item: Measurement | None = None
        self._set: list[Point] = []
        self._pressed: Point = (0.0, 0.0)

    def press(self, gesture: Gesture) -> None:
        if gesture.point is None:
            return
        if not self._goes_on(gesture):
            self.leave()
            self._item = new(gesture.viewport, self.kind, ())
            self._viewport = gesture.viewport
        self._pressed = gesture.place
        self._put(inside(gesture.viewport, gesture.point))

    def move(self, gesture: Gesture) -> None:
        self.hover(gesture)

    def hover(self, gesture: Gesture) -> None:
        if self._item is not None and gesture.point is not None and self._goes_on(gesture):
            self._show([*self._set, inside(gesture.viewport, gesture.point)])

    def release(self, gesture: Gesture) -> None:
        away = hypot(gesture.place[0] - self._pressed[0], gesture.place[1] - self._pressed[1])
        if self._item is not None and gesture.point is not None and away >= CLICK and self._goes_on(gesture):
            self._put(inside(gesture.viewport, gesture.point))

    def double_click(self, gesture: Gesture) -> bool:
        return True

    def leave(self) -> None:
        if self._item is not None:
            self._item, self._viewport, self._set = None, None, []
            self._measurements.set_draft(None)

    @property
    def drawing(self) -> bool:
        return self._item is not None

    def _goes_on(self, gesture: Gesture) -> bool:
        """Is it the same frame of the same viewport?"""
        picture = gesture.viewport.picture
        return (
            self._item is not None
            and gesture.viewport is self._viewport
            and picture is not None
            and self._item.belongs_to(picture.ref)
        )

    def _put(self, point: Point) -> None:
        if self._item is None:
            return
        self._set.append(point)
        if len(self._set) == POINTS[self.kind]:
            made, viewport = with_points(self._item, self._set), self._viewport
            self.leave()
            self._measurements.add(made, viewport)
        else:
            self._show([*self._set, point])

    def _show(self, points: list[Point]) -> None:
        if self._item is not None:
            self._measurements.set_draft(with_points(self._item, points))


class OutlineTool(DrawTool):
    """Draws a free outline as long as the button is held; letting go closes it."""

    def __init__(self, measurements: MeasurementsState) -> None:
        super().__init__(measurements, "region")
        self._last: Point = (0.0, 0.0)

    def press(self, gesture: Gesture) -> None:
        self.leave()
        if gesture.point is None:
            return
        self._item, self._viewport = new(gesture.viewport, self.kind, ()), gesture.viewport
        self._set, self._last = [inside(gesture.viewport, gesture.point)], gesture.place

    def move(self, gesture: Gesture) -> None:
        if self._item is None or gesture.point is None or not self._goes_on(gesture):
            return
        if hypot(gesture.place[0] - self._last[0], gesture.place[1] - self._last[1]) >= OUTLINE_STEP:
            self._set.append(inside(gesture.viewport, gesture.point))
            self._last = gesture.place
        self._show(self._set)

    def hover(self, gesture: Gesture) -> None:
        """Nothing: the outline is drawn while the button is held."""

    def release(self, gesture: Gesture) -> None:
        item, points = self._item, self._set
        goes_on = self._goes_on(gesture)
        self.leave()
        if item is not None and goes_on and len(points) >= 3:
            self._measurements.add(with_points(item, points), gesture.viewport)


class EditTool(Tool):
    """Moves a handle, or a whole measurement, that lay under the mouse. Offered to ToolsState.grabs."""

    cursor = "hand"

    def __init__(self, measurements: MeasurementsState) -> None:
        self._measurements = measurements
        self._item: Measurement | None = None
        self._handle = handles.WHOLE
        self._start: Point = (0.0, 0.0)

    def grab(self, gesture: Gesture) -> Tool | None:
        """This tool when a measurement lies under the mouse and none is being drawn."""
        viewport = gesture.viewport
        if self._measurements.draft is not None or viewport.shape is None or gesture.point is None:
            return None
        found = handles.hit(self._measurements.on(viewport), viewport.view, viewport.shape, gesture.place)
        if found is None:
            return None
        self._item, self._handle = found
        self._start = gesture.point
        return self

    def press(self, gesture: Gesture) -> None:
        if self._item is not None:
            self._measurements.select(self._item.id)

    def move(self, gesture: Gesture) -> None:
        moved = self._moved(gesture)
        if moved is not None:
            self._measurements.set_draft(moved)

    def release(self, gesture: Gesture) -> None:
        draft = self._measurements.draft
        self.leave()
        if draft is not None:
            self._measurements.replace(draft)

    def leave(self) -> None:
        self._item = None
        self._measurements.set_draft(None)

    def _moved(self, gesture: Gesture) -> Measurement | None:
        shape, picture = gesture.viewport.shape, gesture.viewport.picture
        if self._item is None or gesture.point is None or shape is None or picture is None:
            return None
        if not self._item.belongs_to(picture.ref):
            return None
        return handles.drag(
            self._item, self._handle, self._start, gesture.point, float(shape.columns), float(shape.rows)
        )
