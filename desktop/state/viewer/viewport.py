"""What one viewport shows: which frame of which series, at which window, zoom and pan. Knows no widgets.

Pictures are made on a worker, one at a time: while one is under way only the latest wish is kept, so fast scrolling
shows what can be shown and always ends on the last frame asked for. The number on screen is that of the picture there.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane, simply
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import Picture, Request, make_picture, part
from desktop.state.pictures.prefetch import Ahead
from desktop.state.pictures.pyramid import halvings
from desktop.state.redaction import redact_names
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from engine.geometry.spacing import pixel_shape
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import auto_window, min_window_width, presets
from engine.study import FrameRef, Point, Series, Study


class ViewportState(QObject):
    """One viewport; `name` sets its background work apart from that of others."""

    series_changed = Signal()
    picture_changed = Signal()
    view_changed = Signal()
    overlay_changed = Signal()
    """Something that is painted over the picture: corner texts, regions, measurements."""
    pointed_changed = Signal()
    """The mouse is over another pixel."""
    identity_changed = Signal()
    index_changed = Signal()
    """Another frame was asked for."""
    window_changed = Signal()
    """Another window was asked for."""

    def __init__(
        self,
        background: Background,
        cache: FrameCache | None = None,
        name: str = "1",
        read: Callable[[FrameRef], Pixels] = read_frame,
        presets_for: Callable[[str], tuple[Window, ...]] = presets,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._background, self._cache, self._name, self._read = background, cache or FrameCache(), name, read
        self._presets_for = presets_for
        self.study: Study | None = None
        self.series: Series | None = None
        self.index = 0
        self.window: Window | None = None
        self.inverted = False
        self.picture: Picture | None = None
        self.failure = self._failed = ""
        self.pointed: Point | None = None
        """Where the mouse is, in image coordinates; None outside."""
        self.view = View()
        self.identity_visible = True
        self.texts_visible = True
        self.note = ""
        """What is going on with the stack, for its corner."""
        self.colours = ""
        """Name of the colour table that gray levels are shown in; "" shows them gray."""
        self._busy: Job | None = None
        self._outdated = False
        self._direction = 1
        self._ahead = Ahead(background, self._cache, name, read)

    # -- which frame

    def take_series(self, study: Study, series: Series) -> None:
        """Go on with the same series once more of it is known, on the frame that is shown, without a change on screen.

        A picture that is being made, and its number, are those of the frame as the series stood; the next one follows.
        """
        shown = self.series.frames[self.index] if self.series and self.series.frames else None
        self.study, self.series = study, series
        if shown in series.frames:
            self.index = series.frames.index(shown)
            if self.picture is not None and self.picture.ref in series.frames:
                self.picture = replace(self.picture, series=series, index=series.frames.index(self.picture.ref))
        else:
            self.index = min(self.index, len(series.frames) - 1)
            self._refresh()
        if self._busy is None:
            self._continue()
        self.series_changed.emit()

    def show(self, study: Study | None, series: Series | None) -> None:
        """Show another series from its first frame, with its own window, fitted."""
        self._background.drop(self._key("picture"))
        self._ahead.stop()
        self._busy, self._outdated = None, False
        self.study, self.series, self.index, self.window, self.inverted = study, series, 0, None, False
        self.picture, self.failure, self._direction, self.colours = None, "", 1, ""
        self.view = geometry.upright(geometry.fitted(self.view))
        self.series_changed.emit()
        self.picture_changed.emit()
        self._refresh()

    @property
    def count(self) -> int:
        return len(self.series.frames) if self.series else 0

    @property
    def failure_shown(self) -> str:
        """`failure` as it may be on screen: a hidden patient's name may be that of a folder."""
        return self.failure if self.identity_visible else redact_names(self.failure, (self._failed,))

    @property
    def loading(self) -> bool:
        return self._busy is not None

    def go_to(self, index: int) -> None:
        index = min(self.count - 1, max(0, index))
        if self.series is None or index == self.index:
            return
        self._direction = 1 if index > self.index else -1
        self.index = index
        self._refresh()
        self.index_changed.emit()

    def scroll(self, steps: int) -> None:
        self.go_to(self.index + steps)

    # -- window and inversion

    @property
    def shown_window(self) -> Window | None:
        """The window last asked for, else that of the picture on screen; None for colour."""
        if self.picture is None or self.picture.colour:
            return None
        return self.window or self.picture.window

    @property
    def presets(self) -> tuple[Window, ...]:
        return self._presets_for(self.series.modality) if self.series else ()

    def set_window(self, window: Window | None) -> None:
        """None: back to the frame's own window."""
        self.window = window
        self._refresh()
        self.window_changed.emit()

    def apply_preset(self, number: int) -> None:
        """1-based, as on the number keys; 0 is the frame's own window. A number without a preset does nothing."""
        if number == 0:
            self.set_window(None)
        elif number <= len(self.presets) and self.shown_window:
            self.set_window(self.presets[number - 1])

    def auto_window(self) -> None:
        """From the darkest to the brightest of the frame on screen, but for half a percent at each end."""
        if self.picture is not None and not self.picture.colour:
            self.set_window(auto_window(self.picture.pixels))

    def auto_window_of(self, start: Point, end: Point) -> None:
        """The same for the region between two viewport positions; a region too small to mean one is none."""
        picture, corners = self.picture, (self.to_image(start), self.to_image(end))
        if picture is not None and not picture.colour and corners[0] and corners[1]:
            region = part(picture.pixels, corners[0], corners[1])
            if region is not None:
                self.set_window(auto_window(region))

    def drag_window(self, right: float, down: float) -> None:
        """Right widens, up brightens; the step grows with the width, so that 8-bit and 16-bit images feel alike."""
        window = self.shown_window
        if window is None or self.picture is None:
            return
        if self.picture.pixels.inverted != self.inverted:  # low values are the bright ones
            down = -down
        least = min_window_width(self.picture.pixels)
        step = max(window.width, least) / 300
        width = max(window.width + right * step, window.width / 100, min(least, window.width))
        self.set_window(Window(window.center + down * step, width, window.function))

    def set_shades(self, window: Window | None, inverted: bool, colours: str) -> None:
        """All that decides how bright a value is, at once."""
        self.inverted = inverted
        self.set_window(window)
        self.set_colours(colours)

    def toggle_invert(self) -> None:
        self.inverted = not self.inverted
        self._refresh()

    # -- zoom and pan

    @property
    def shape(self) -> Shape | None:
        if self.picture is None:
            return None
        rows, columns = self.picture.shape
        return Shape(columns, rows, pixel_shape(self.picture.ref), self.picture.ref.spacing is not None)

    @property
    def scale(self) -> float:
        """Device pixels per image pixel: what is called the zoom."""
        return geometry.scale_of(self.view, self.shape) * self.view.device_ratio if self.shape else 1.0

    def resize(self, width: float, height: float, device_ratio: float) -> None:
        """A picture at the rim of a large viewport comes into sight of a smaller one."""
        view = replace(self.view, width=max(1.0, width), height=max(1.0, height), device_ratio=device_ratio)
        self._look(geometry.panned(view, self.shape, 0, 0) if self.shape and view.scale is not None else view)

    def zoom_by(self, factor: float, anchor: tuple[float, float] | None = None) -> None:
        if self.shape:
            self._look(geometry.zoomed(self.view, self.shape, factor, anchor))

    def pan_by(self, right: float, down: float) -> None:
        if self.shape:
            self._look(geometry.panned(self.view, self.shape, right, down))

    def zoom_to(self, start: Point, end: Point) -> None:
        """Fill the viewport with the region between two of its positions."""
        if self.shape:
            self._look(geometry.zoomed_to(self.view, self.shape, start, end))

    def look(self, view: View) -> None:
        """Another place, scale or turn, but always the viewport's own size."""
        own = self.view
        self._look(replace(view, width=own.width, height=own.height, device_ratio=own.device_ratio))

    def fit(self) -> None:
        self._look(geometry.fitted(self.view))

    def actual_size(self) -> None:
        self._look(geometry.actual_size(self.view))

    def turn(self, quarters: int) -> None:
        """Clockwise."""
        self._look(geometry.turned(self.view, quarters))

    def flip(self, horizontally: bool) -> None:
        """Exchange left and right of what is seen, or top and bottom."""
        self._look(geometry.flipped(self.view, horizontally))

    def reset(self) -> None:
        """The frame's own window, not inverted, fitted, upright."""
        self.window, self.inverted, self.colours = None, False, ""
        self._look(geometry.upright(geometry.fitted(self.view)))
        self._refresh()
        self.window_changed.emit()

    def to_image(self, place: Point) -> Point | None:
        """Viewport position to image (column, row); None while there is no picture."""
        return geometry.to_image(self.view, self.shape, place) if self.shape else None

    # -- what is written over it

    def set_colours(self, name: str) -> None:
        """Of engine.image.colour_tables; "" for gray. Colours on the screen never reach a search."""
        if name != self.colours:
            self.colours = name
            self.overlay_changed.emit()

    def set_identity_visible(self, visible: bool) -> None:
        if visible != self.identity_visible:
            self.identity_visible = visible
            self.identity_changed.emit()
            self.overlay_changed.emit()

    def set_texts_visible(self, visible: bool) -> None:
        if visible != self.texts_visible:
            self.texts_visible = visible
            self.overlay_changed.emit()

    def set_note(self, note: str) -> None:
        if note != self.note:
            self.note = note
            self.overlay_changed.emit()

    def point_at(self, point: Point | None) -> None:
        """The mouse is over this place; told only once a pixel."""
        before, self.pointed = self.pointed, point
        if _pixel(before) != _pixel(point):
            self.pointed_changed.emit()

    def set_view(self, view: View) -> None:
        """Zoom, place and turning as they were kept of this viewport."""
        self._look(view)

    # -- making pictures

    def _key(self, work: str) -> str:
        return f"viewport {self._name} {work}"

    def _look(self, view: View) -> None:
        if view != self.view:
            self.view = view
            self.view_changed.emit()
            if self.picture is not None and self._too_small(self.picture):
                self._refresh()

    def _refresh(self) -> None:
        if self.series is None:
            return
        if self._busy is not None:
            self._outdated = True
            return
        ref = self.series.frames[self.index]
        pixels, times, before = self._cache.get(ref), self._halvings(ref), self.picture
        small = before.reduced if before and before.pixels is pixels and before.halvings == times else None
        request = Request(self.series, self.index, self.window, self.inverted, pixels, times, small)
        self._outdated = False
        self._busy = self._background.start(
            simply(make_picture, request, self._read),
            self._take,
            key=self._key("picture"),
            lane=Lane.PICTURE,
            urgent=True,
            failed=partial(self._fail, request),
            shows_failure=True,
        )

    def _halvings(self, ref: FrameRef) -> int:
        """How often a frame may be halved and still have a pixel for each of the screen."""
        shape = Shape(ref.image.columns, ref.image.rows, pixel_shape(ref))
        columns, rows = geometry.screen_pixels(self.view, shape)
        return halvings((shape.rows, shape.columns), (rows, columns))

    def _too_small(self, picture: Picture) -> bool:
        """Whether the screen has more pixels for it than it was made with."""
        return picture.halvings > self._halvings(picture.ref)

    def _take(self, picture: Picture) -> None:
        self._busy = None
        self._cache.put(picture.ref, picture.pixels)
        self.picture, self.failure = self._renumbered(picture), ""
        self._outdated = self._outdated or self._too_small(picture)  # the view may have grown while it was made
        self.picture_changed.emit()
        self._continue()

    def _renumbered(self, picture: Picture) -> Picture:
        """The picture with the number that its frame has by now: its series may have grown while it was made."""
        series = self.series
        if series is None or picture.series is series or picture.ref not in series.frames:
            return picture
        return replace(picture, series=series, index=series.frames.index(picture.ref))

    def _fail(self, request: Request, error: BaseException) -> None:
        self._busy = None
        self.picture, self.failure, self._failed = None, str(error), request.ref.image.name
        self.picture_changed.emit()
        self._continue()

    def _continue(self) -> None:
        if self._outdated:
            self._refresh()
        elif self.series is not None and self.picture is not None:
            self._ahead.around(self.series, self.index, self._direction, self.picture.pixels)


def _pixel(point: Point | None) -> tuple[int, int] | None:
    return None if point is None else (math.floor(point[0]), math.floor(point[1]))
