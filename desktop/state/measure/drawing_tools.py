"""Mouse tools that draw and edit measurements. Know no widgets and keep nothing: MeasurementsState does."""

from collections.abc import Callable
from math import hypot

from typing_extensions import override

from desktop.state.measure import handles
from desktop.state.measure.measurements import MeasurementsState, new_measurement
from desktop.state.viewer.tools import Gesture, Tool, ToolsState
from desktop.state.viewer.viewport import ViewportState
from engine.measure.figures import FIGURES, Figure
from engine.measure.measurements import Measurement
from engine.study import Point

CLICK = 4.0
"""Logical pixels: released closer than this to where it was pressed, the button was clicked and not dragged."""
FREEHAND_STEP = 3.0
"""Logical pixels between two points of a freehand outline."""


Write = Callable[[Measurement, ViewportState], object]
"""Lets the user write the text of an annotation."""


def add_measuring_tools(tools: ToolsState, measurements: MeasurementsState, write: Write) -> None:
    """Add a tool for each figure, and have what is drawn grabbed by the mouse."""
    for figure in FIGURES.values():
        tools.add(figure.kind, drawing_tool(measurements, figure, write))
    tools.grabs.append(EditTool(measurements, write).grab)


def drawing_tool(measurements: MeasurementsState, figure: Figure, write: Write) -> Tool:
    """The tool that draws figures of this kind."""
    if figure.needs_text:
        return TextTool(measurements, figure, write)
    return (FreehandTool if figure.freehand else DrawTool)(measurements, figure)


def inside(viewport: ViewportState, point: Point) -> Point:
    """The nearest point of the image."""
    shape = viewport.shape
    return point if shape is None else handles.within(point, float(shape.columns), float(shape.rows))


def measurement_at(measurements: MeasurementsState, gesture: Gesture) -> tuple[Measurement, int] | None:
    """The measurement under the mouse and its handle, as `handles.hit_test`; None also while one is being drawn."""
    viewport = gesture.viewport
    if measurements.draft is not None or viewport.shape is None:
        return None
    texts = {item: rect for (where, item), rect in measurements.text_rects.items() if where is viewport}
    return handles.hit_test(measurements.on(viewport), viewport.view, viewport.shape, gesture.screen_point, texts)


class DrawTool(Tool):
    """Draws a figure with a fixed number of points, by dragging or click by click; the next point follows the mouse."""

    cursor = "cross"
    by_clicks = True

    def __init__(self, measurements: MeasurementsState, figure: Figure) -> None:
        self._measurements, self.figure = measurements, figure
        self._viewport: ViewportState | None = None
        self._item: Measurement | None = None
        self._points: list[Point] = []
        self._pressed: Point = (0.0, 0.0)

    @override
    def press(self, gesture: Gesture) -> None:
        if gesture.image_point is None:
            return
        if not self._continues(gesture):
            self._begin(gesture)
        self._pressed = gesture.screen_point
        self._add_point(inside(gesture.viewport, gesture.image_point))

    @override
    def move(self, gesture: Gesture) -> None:
        self.hover(gesture)

    @override
    def hover(self, gesture: Gesture) -> None:
        if self._item is not None and gesture.image_point is not None and self._continues(gesture):
            self._show([*self._points, inside(gesture.viewport, gesture.image_point)])

    @override
    def release(self, gesture: Gesture) -> None:
        distance = hypot(gesture.screen_point[0] - self._pressed[0], gesture.screen_point[1] - self._pressed[1])
        if (
            self._item is not None
            and gesture.image_point is not None
            and distance >= CLICK
            and self._continues(gesture)
        ):
            self._add_point(inside(gesture.viewport, gesture.image_point))

    @override
    def double_click(self, gesture: Gesture) -> bool:
        return True

    @override
    def cancel(self) -> None:
        if self._item is not None:
            self._item, self._viewport, self._points = None, None, []
            self._measurements.set_draft(None)

    @property
    @override
    def drawing(self) -> bool:
        """Whether a figure was begun and still lacks points."""
        return self._item is not None

    def _begin(self, gesture: Gesture) -> None:
        self.cancel()
        self._item = new_measurement(gesture.viewport, self.figure.kind)
        self._viewport = gesture.viewport

    def _continues(self, gesture: Gesture) -> bool:
        """Whether the viewport and its frame are those on which the figure was begun."""
        picture = gesture.viewport.picture
        return (
            self._item is not None
            and gesture.viewport is self._viewport
            and picture is not None
            and self._item.belongs_to(picture.ref)
        )

    def _add_point(self, point: Point) -> None:
        if self._item is None:
            return
        self._points.append(point)
        drawn, viewport = self._item.with_points(self._points), self._viewport
        if drawn.is_complete:
            self.cancel()
            self._finish(drawn, viewport)
        else:
            self._show([*self._points, point])

    def _finish(self, drawn: Measurement, viewport: ViewportState | None) -> None:
        """Keep a figure that has all its points."""
        self._measurements.add(drawn, viewport)

    def _show(self, points: list[Point]) -> None:
        if self._item is not None:
            self._measurements.set_draft(self._item.with_points(points))


class FreehandTool(DrawTool):
    """Draws an outline while the button is held; releasing it closes the outline."""

    by_clicks = False

    def __init__(self, measurements: MeasurementsState, figure: Figure) -> None:
        super().__init__(measurements, figure)
        self._last: Point = (0.0, 0.0)
        """Screen point at which the last point was added."""

    @override
    def press(self, gesture: Gesture) -> None:
        self.cancel()
        if gesture.image_point is None:
            return
        self._begin(gesture)
        self._points, self._last = [inside(gesture.viewport, gesture.image_point)], gesture.screen_point

    @override
    def move(self, gesture: Gesture) -> None:
        if self._item is None or gesture.image_point is None or not self._continues(gesture):
            return
        if hypot(gesture.screen_point[0] - self._last[0], gesture.screen_point[1] - self._last[1]) >= FREEHAND_STEP:
            self._points.append(inside(gesture.viewport, gesture.image_point))
            self._last = gesture.screen_point
        self._show(self._points)

    @override
    def hover(self, gesture: Gesture) -> None:
        """Does nothing: points are added only while the button is held."""

    @override
    def release(self, gesture: Gesture) -> None:
        drawn = self._item.with_points(self._points) if self._item is not None else None
        continues = self._continues(gesture)
        self.cancel()
        if drawn is not None and continues and drawn.is_complete:
            self._measurements.add(drawn, gesture.viewport)


class TextTool(DrawTool):
    """Has a text written where the image is clicked, and keeps nothing until it is."""

    def __init__(self, measurements: MeasurementsState, figure: Figure, write: Write) -> None:
        super().__init__(measurements, figure)
        self._write = write

    @override
    def _finish(self, drawn: Measurement, viewport: ViewportState | None) -> None:
        if viewport is not None:
            self._write(drawn, viewport)


class EditTool(Tool):
    """Drags the handle, or the whole measurement, under the mouse. `grab` belongs in ToolsState.grabs.

    A double click on an annotation has its text written.
    """

    cursor = "hand"

    def __init__(self, measurements: MeasurementsState, write: Write) -> None:
        self._measurements, self._write = measurements, write
        self._item: Measurement | None = None
        self._handle = handles.WHOLE
        self._start: Point = (0.0, 0.0)

    def grab(self, gesture: Gesture) -> Tool | None:
        """This tool, if a measurement is under the mouse and none is being drawn."""
        hit = measurement_at(self._measurements, gesture)
        if hit is None or gesture.image_point is None:
            return None
        self._item, self._handle = hit
        self._start = gesture.image_point
        return self

    @override
    def press(self, gesture: Gesture) -> None:
        if self._item is not None:
            self._measurements.select(self._item.id)

    @override
    def move(self, gesture: Gesture) -> None:
        dragged = self._dragged(gesture)
        if dragged is not None:
            self._measurements.set_draft(dragged)

    @override
    def release(self, gesture: Gesture) -> None:
        draft = self._measurements.draft
        self.cancel()
        if draft is not None:
            self._measurements.replace(draft)

    @override
    def double_click(self, gesture: Gesture) -> bool:
        item, self._item = self._item, None
        if item is not None and item.figure.annotation:
            self._write(item, gesture.viewport)
        return True

    @override
    def cancel(self) -> None:
        self._item = None
        self._measurements.set_draft(None)

    def _dragged(self, gesture: Gesture) -> Measurement | None:
        shape, picture = gesture.viewport.shape, gesture.viewport.picture
        if self._item is None or gesture.image_point is None or shape is None or picture is None:
            return None
        if not self._item.belongs_to(picture.ref):
            return None
        return handles.drag(
            self._item, self._handle, self._start, gesture.image_point, float(shape.columns), float(shape.rows)
        )
