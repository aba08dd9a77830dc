"""State of one viewport: which frame of which series it shows, at which window, zoom and pan. Knows no widgets.

Pictures come from a PictureLoader. The frame number on screen is that of the picture on screen, which may lag behind
the frame asked for.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktop.background import Background
from desktop.state.pictures.frame_cache import FrameCache
from desktop.state.pictures.picture import ScreenPicture, crop
from desktop.state.redaction import redact_names
from desktop.state.studies.studies import identify
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.picture_loader import PictureLoader, Wanted
from desktop.state.viewer.series_memory import SeriesMemory, Shown
from engine.geometry.spacing import pixel_shape
from engine.image.archived import is_archived
from engine.image.pixels import Pixels, read_frame
from engine.image.voi import Window
from engine.image.window import auto_window, min_window_width, presets
from engine.study import FrameRef, Point, Series, Study


class ViewportState(QObject):
    """One viewport; `name` sets its background work apart from that of other viewports."""

    series_changed = Signal()
    picture_changed = Signal()
    view_changed = Signal()
    overlay_changed = Signal()
    """Something painted over the picture changed: overlay text, regions, measurements."""
    mouse_point_changed = Signal()
    """The mouse is over another pixel."""
    redaction_changed = Signal()
    """Patient data was hidden or shown."""
    index_changed = Signal()
    """Another frame was requested."""
    window_changed = Signal()
    """Another window was requested."""

    def __init__(
        self,
        background: Background,
        cache: FrameCache | None = None,
        name: str = "1",
        read: Callable[[FrameRef], Pixels] = read_frame,
        presets_for: Callable[[str], tuple[Window, ...]] = presets,
        memory: SeriesMemory | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._presets_for, self._memory = presets_for, memory or SeriesMemory()
        self.study: Study | None = None
        self.series: Series | None = None
        self.index = 0
        self.window: Window | None = None
        self.inverted = False
        self.picture: ScreenPicture | None = None
        self.failure = self._failed_name = ""
        self.mouse_point: Point | None = None
        """Image coordinates under the mouse; None outside."""
        self.view = View()
        self.patient_data_visible = True
        self.overlay_text_visible = True
        self.empty_text = ("", "")
        """Title and text to show instead of an image, for as long as there is no series; "" for the usual ones."""
        self.status = ""
        """What is going on with the stack, for the overlay text."""
        self.color_map = ""
        """Name of the color table that gray levels are shown in; "" shows them gray."""
        self._direction = 1
        self._loader = PictureLoader(
            background,
            cache or FrameCache(),
            name,
            read,
            wanted=self._wanted,
            loaded=self._show_picture,
            failed=self._show_failure,
        )

    # -- which frame

    def update_series(self, study: Study, series: Series, index: int | None = None) -> None:
        """Replace the series by a longer reading of it and stay on the frame shown, without a change on screen.

        A picture that is being made still has its number in the old series; the next one follows. Of a series with
        other frames that of the same number is shown, or the one at `index`, at the same zoom and window.
        """
        shown = self.series.frames[self.index] if self.series and self.series.frames else None
        self.study, self.series = study, series
        if shown in series.frames:
            self.index = series.frames.index(shown)
            if self.picture is not None and self.picture.ref in series.frames:
                self.picture = replace(self.picture, series=series, index=series.frames.index(self.picture.ref))
        else:
            self.index = min(self.index if index is None else index, len(series.frames) - 1)
            self._loader.request()
        self._loader.proceed()
        self.series_changed.emit()

    def show(
        self,
        study: Study | None,
        series: Series | None,
        index: int | None = None,
        empty_text: tuple[str, str] = ("", ""),
    ) -> None:
        """Show another series as it was last shown, at first from its first frame, at its default window, fitted.

        Args:
            study: of the series.
            series: None for none.
            index: the frame to show; None for that of the last time.
            empty_text: title and text to show without a series.
        """
        self._loader.stop()
        self._keep()
        self.study, self.series, self.window, self.inverted = study, series, None, False
        self.picture, self.failure, self._direction, self.color_map = None, "", 1, ""
        self.empty_text = empty_text
        self.view = geometry.upright(geometry.fitted(self.view))
        last = self._memory.recall(identify(study, series))
        if last is not None:
            self.window, self.inverted, self.color_map = last.window, last.inverted, last.color_map
            own = self.view
            self.view = replace(last.view, width=own.width, height=own.height, device_ratio=own.device_ratio)
        self.index = (last.index if last else 0) if index is None else index
        self.index = min(self.index, max(0, self.count - 1))
        self.series_changed.emit()
        self.picture_changed.emit()
        self._loader.request()

    def _keep(self) -> None:
        """Remember how the series is shown; an archived case is shown anew each time, as the current image is."""
        if self.series is not None and not is_archived(self.series):
            shown = Shown(self.index, self.window, self.inverted, self.color_map, self.view)
            self._memory.keep(identify(self.study, self.series), shown)

    @property
    def count(self) -> int:
        """Number of frames in the stack."""
        return len(self.series.frames) if self.series else 0

    @property
    def failure_text(self) -> str:
        """`failure` as it may be shown: while patient data is hidden, without the name of the file."""
        return self.failure if self.patient_data_visible else redact_names(self.failure, (self._failed_name,))

    @property
    def loading(self) -> bool:
        """A picture is being made."""
        return self._loader.loading

    def go_to(self, index: int) -> None:
        """Show a frame by its 0-based index; beyond either end, the first or last one."""
        index = min(self.count - 1, max(0, index))
        if self.series is None or index == self.index:
            return
        self._direction = 1 if index > self.index else -1
        self.index = index
        self._loader.request()
        self.index_changed.emit()

    def scroll(self, steps: int) -> None:
        """Move this many frames on; negative: back."""
        self.go_to(self.index + steps)

    # -- window and inversion

    @property
    def shown_window(self) -> Window | None:
        """The window last requested, else that of the picture on screen; None for color images."""
        if self.picture is None or self.picture.is_color:
            return None
        return self.window or self.picture.window

    @property
    def presets(self) -> tuple[Window, ...]:
        """Window presets of the modality; none for an archived image, whose gray levels have no unit."""
        return () if self.series is None or is_archived(self.series) else self._presets_for(self.series.modality)

    def set_window(self, window: Window | None) -> None:
        """Show at a window; None: the frame's default."""
        self.window = window
        self._loader.request()
        self.window_changed.emit()

    def apply_preset(self, number: int) -> None:
        """Apply a preset, numbered from 1 as on the keys; 0: the default window. Ignores a number without a preset."""
        if number == 0:
            self.set_window(None)
        elif number <= len(self.presets) and self.shown_window:
            self.set_window(self.presets[number - 1])

    def auto_window(self) -> None:
        """Window over the values of the frame on screen, without half a percent of the pixels at each end."""
        if self.picture is not None and not self.picture.is_color:
            self.set_window(auto_window(self.picture.pixels))

    def auto_window_from_roi(self, start: Point, end: Point) -> None:
        """Window over the values in the rectangle between two screen points; ignores a rectangle that is too small."""
        picture, corners = self.picture, (self.to_image(start), self.to_image(end))
        if picture is not None and not picture.is_color and corners[0] and corners[1]:
            roi = crop(picture.pixels, corners[0], corners[1])
            if roi is not None:
                self.set_window(auto_window(roi))

    def drag_window(self, right: float, down: float) -> None:
        """Widen by dragging right, brighten by dragging up; steps grow with the width, to suit 8 and 16 bits alike."""
        window = self.shown_window
        if window is None or self.picture is None:
            return
        if self.picture.pixels.inverted != self.inverted:  # low values are the bright ones
            down = -down
        least = min_window_width(self.picture.pixels)
        step = max(window.width, least) / 300
        width = max(window.width + right * step, window.width / 100, min(least, window.width))
        self.set_window(Window(window.center + down * step, width, window.function))

    def set_rendering(self, window: Window | None, inverted: bool, color_map: str) -> None:
        """Set window, inversion and color map at once."""
        self.inverted = inverted
        self.set_window(window)
        self.set_color_map(color_map)

    def toggle_invert(self) -> None:
        """Exchange black and white."""
        self.inverted = not self.inverted
        self._loader.request()

    # -- zoom and pan

    @property
    def shape(self) -> Shape | None:
        """Size of the picture on screen and the shape of its pixels."""
        if self.picture is None:
            return None
        rows, columns = self.picture.shape
        return Shape(columns, rows, pixel_shape(self.picture.ref), self.picture.ref.spacing is not None)

    @property
    def scale(self) -> float:
        """The zoom: device pixels per image pixel."""
        return geometry.scale_of(self.view, self.shape) * self.view.device_ratio if self.shape else 1.0

    def resize(self, width: float, height: float, device_ratio: float) -> None:
        """Take the viewport's size in logical pixels; what was panned to the edge stays in sight of a smaller one."""
        view = replace(self.view, width=max(1.0, width), height=max(1.0, height), device_ratio=device_ratio)
        self.set_view(geometry.panned(view, self.shape, 0, 0) if self.shape and view.scale is not None else view)

    def zoom_by(self, factor: float, anchor: Point | None = None) -> None:
        """Zoom around a screen point, or around the center."""
        if self.shape:
            self.set_view(geometry.zoomed(self.view, self.shape, factor, anchor))

    def pan_by(self, right: float, down: float) -> None:
        """Move the picture by logical pixels."""
        if self.shape:
            self.set_view(geometry.panned(self.view, self.shape, right, down))

    def zoom_to(self, start: Point, end: Point) -> None:
        """Fill the viewport with the rectangle between two screen points."""
        if self.shape:
            self.set_view(geometry.zoomed_to(self.view, self.shape, start, end))

    def match_view(self, view: View) -> None:
        """Take over zoom, pan, rotation and flip of another view, but keep the viewport's own size."""
        own = self.view
        self.set_view(replace(view, width=own.width, height=own.height, device_ratio=own.device_ratio))

    def fit(self) -> None:
        """Fit the picture into the viewport."""
        self.set_view(geometry.fitted(self.view))

    def actual_pixels(self) -> None:
        """Show one image pixel on one pixel of the screen."""
        self.set_view(geometry.actual_pixels(self.view))

    def rotate(self, quarter_turns: int) -> None:
        """Rotate clockwise; negative: counterclockwise."""
        self.set_view(geometry.rotated(self.view, quarter_turns))

    def flip(self, horizontally: bool) -> None:
        """Exchange left and right as seen on screen, or top and bottom."""
        self.set_view(geometry.flipped(self.view, horizontally))

    def reset(self) -> None:
        """Default window, not inverted, no color map, fitted, neither rotated nor flipped."""
        self.window, self.inverted, self.color_map = None, False, ""
        self.set_view(geometry.upright(geometry.fitted(self.view)))
        self._loader.request()
        self.window_changed.emit()

    def set_view(self, view: View) -> None:
        """Set zoom, pan, rotation, flip and size at once."""
        if view != self.view:
            self.view = view
            self.view_changed.emit()
            self._loader.request_if_too_coarse()

    def to_image(self, screen_point: Point) -> Point | None:
        """Screen point to image (column, row); None while there is no picture."""
        return geometry.to_image(self.view, self.shape, screen_point) if self.shape else None

    # -- what is painted over it

    def set_color_map(self, name: str) -> None:
        """Choose one of engine.image.color_maps; "" for gray. A search never sees these colors."""
        if name != self.color_map:
            self.color_map = name
            self.overlay_changed.emit()

    def set_patient_data_visible(self, visible: bool) -> None:
        """Show or hide everything that identifies the patient."""
        if visible != self.patient_data_visible:
            self.patient_data_visible = visible
            self.redaction_changed.emit()
            self.overlay_changed.emit()

    def set_overlay_text_visible(self, visible: bool) -> None:
        """Show or hide the text in the corners."""
        if visible != self.overlay_text_visible:
            self.overlay_text_visible = visible
            self.overlay_changed.emit()

    def set_status(self, status: str) -> None:
        """Say in the overlay text what is going on with the stack."""
        if status != self.status:
            self.status = status
            self.overlay_changed.emit()

    def set_mouse_point(self, point: Point | None) -> None:
        """Take the image point under the mouse; emits only when the pixel changes."""
        before, self.mouse_point = self.mouse_point, point
        if _pixel(before) != _pixel(point):
            self.mouse_point_changed.emit()

    # -- pictures

    def _wanted(self) -> Wanted | None:
        if self.series is None:
            return None
        return Wanted(self.series, self.index, self._direction, self.window, self.inverted, self.view, self.picture)

    def _show_picture(self, picture: ScreenPicture) -> None:
        self.picture, self.failure = self._renumbered(picture), ""
        self.picture_changed.emit()

    def _renumbered(self, picture: ScreenPicture) -> ScreenPicture:
        """The picture with the number that its frame has by now: the series may have grown while it was made."""
        series = self.series
        if series is None or picture.series is series or picture.ref not in series.frames:
            return picture
        return replace(picture, series=series, index=series.frames.index(picture.ref))

    def _show_failure(self, ref: FrameRef, error: BaseException) -> None:
        self.picture, self.failure, self._failed_name = None, str(error), ref.image.name
        self.picture_changed.emit()


def _pixel(point: Point | None) -> tuple[int, int] | None:
    return None if point is None else (math.floor(point[0]), math.floor(point[1]))
