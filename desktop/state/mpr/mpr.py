"""MPR: axial, coronal and sagittal planes of a stack, each in a viewport. Knows no widgets and resamples nothing.

They open at the slice on screen. slab.py decides which slabs they are, oblique.py how an oblique one is turned.
"""

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.background import Background, Job, Lane
from desktop.state.studies.studies import identify
from desktop.state.viewer import geometry
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.saved_viewport import Find, SavedViewport
from desktop.state.viewer.viewport import ViewportState
from engine.errors import UserError
from engine.geometry.planes import to_patient
from engine.geometry.reference_lines import nearest_frame
from engine.image.mpr import Planes, is_plane, planes_of
from engine.image.oblique import ObliqueCut, Tilt, oblique_stack
from engine.image.pixels import Pixels, read_frame
from engine.image.slab import THIN, Slab
from engine.image.volume import NO_STACK, load_volume, why_no_volume
from engine.progress import IsCancelled, Progress
from engine.study import FrameRef, Series, Study, Vector

TITLE = "Reading slices for MPR"
GRID = (2, 2)


class MprState(QObject):
    """Holds one volume at a time; closing the planes, or cutting those of another stack, frees its memory."""

    changed = Signal()

    def __init__(
        self,
        background: Background,
        layout: Callable[[], LayoutState],
        find: Find,
        read: Callable[[FrameRef], Pixels] = read_frame,
        parent: QObject | None = None,
        unlinked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`unlinked` moves viewports one by one, so that none follows another."""
        super().__init__(parent)
        self._unlinked = unlinked
        self._find = find
        self._background, self._layout, self._read = background, layout, read
        self.planes: Planes | None = None
        self._stack = ""
        """Id of the series that planes are cut from, or that is being read for that."""
        self.tilt: Tilt | None = None
        """How the oblique plane lies; None without one."""
        self._slab = THIN
        self._grid_before: tuple[int, int] = (1, 1)
        self._saved: list[SavedViewport] = []
        self._job: Job | None = None

    def read(self, frame: FrameRef) -> Pixels:
        """Decode a frame of a file, or a plane of the volume at hand. Called by workers.

        Raises:
            UserError: as `read_frame`, or the planes were closed.
        """
        if not is_plane(frame):
            return self._read(frame)
        planes = self.planes
        if planes is None or not planes.contains(frame):
            raise UserError("MPR was closed. Open it again.")
        return planes.read(frame)

    @property
    def shown(self) -> bool:
        """Planes are shown."""
        return self.planes is not None

    @property
    def size(self) -> int:
        """Bytes of the volume; 0 without one."""
        return self.planes.volume.nbytes if self.planes is not None else 0

    def why_not(self) -> str:
        """Why MPR is not available for the active stack; "" when it is."""
        series = self._layout().active.series
        if series is None:
            return NO_STACK
        if series.growing:
            return "This series is still loading. Try again when it is complete."
        return why_no_volume(series.frames)

    def series_id_of(self, viewport: ViewportState) -> str:
        """Id of the series that a viewport shows, or shows planes of; "" for an empty one."""
        return self._stack if _shows_plane(viewport) else identify(viewport.study, viewport.series)

    def toggle(self) -> None:
        """Show the planes of the active stack, or go back to it.

        Raises:
            UserError: MPR is not available for it; says why.
        """
        if self.shown:
            self.close()
            return
        active = self._layout().active
        why = self.why_not()
        if why or active.series is None or active.study is None:
            raise UserError(why)
        self._stack = identify(active.study, active.series)
        self._job = self._background.start(
            partial(_load, active.series, self._read),
            self._take,
            title=TITLE,
            key="mpr",
            lane=Lane.LONG,
        )
        self.changed.emit()

    def show_slab(self, slab: Slab) -> None:
        """Show each plane as the middle of a slab, where it is now."""
        self._slab = slab
        if self.planes is not None:
            planes = self.planes.with_slab(slab)
            self._replace(planes if self.tilt is None else planes.with_oblique(self._oblique(self.tilt)[0]))

    def show_oblique(self, tilt: Tilt) -> None:
        """Turn the oblique plane, or cut the first one, in place of the stack or else in the active viewport."""
        before, found, layout = self.planes, self._find(self._stack), self._layout()
        if before is None or found is None:
            return
        stack, index = self._oblique(tilt)
        shown, window = self.oblique_viewport, layout.active
        self.tilt = tilt
        self.planes = before.with_oblique(stack)
        if shown is not None:
            shown.update_series(found[0], stack[0], index)
        else:
            same = [one for one in layout.viewports if self.series_id_of(one) == self._stack]
            beside = [one for one in same if not _shows_plane(one)]
            shown = beside[-1] if beside else window
            rendering, millimeter = (window.window, window.inverted, window.color_map), _millimeter(window)
            shown.show(found[0], stack[0], index)
            shown.set_rendering(*rendering)
            shown.set_view(dataclasses.replace(shown.view, scale=millimeter * stack[1].grid.spacing[0]))
        self.changed.emit()

    def end_oblique(self) -> None:
        """Show the stack in place of the oblique plane."""
        found, shown = self._find(self._stack), self.oblique_viewport
        self.tilt = None
        if self.planes is not None:
            self.planes = self.planes.with_oblique(None)
        if shown is not None and found is not None:
            shown.show(*found)
        self.changed.emit()

    @property
    def oblique_viewport(self) -> ViewportState | None:
        """The viewport that shows the oblique plane; None for none."""
        oblique = self.planes.series[3] if self.planes is not None and len(self.planes.series) > 3 else None
        viewports = self._layout().viewports
        return None if oblique is None else next((one for one in viewports if one.series is oblique), None)

    def _oblique(self, tilt: Tilt) -> tuple[tuple[Series, ObliqueCut], int]:
        assert self.planes is not None
        series, cut, index = oblique_stack(self.planes.volume, tilt, self._slab)
        return (series, cut), index

    def _replace(self, planes: Planes) -> None:
        """Show other planes of the same volume; each stack stays in its viewport at its frame, zoom and window."""
        before, found = self.planes, self._find(self._stack)
        if before is None or found is None:
            return
        self.planes = planes
        for viewport in self._layout().all_viewports:
            for old, new in zip(before.series, planes.series):
                if viewport.series is old:
                    viewport.update_series(found[0], new)
        self.changed.emit()

    def close(self) -> None:
        """Go back to the stack and the layout that was there before."""
        if not self.shown:
            return
        self.planes = self.tilt = None
        self._slab = THIN
        layout = self._layout()
        for viewport in layout.all_viewports:
            if _shows_plane(viewport):
                viewport.show(None, None)
        with self._unlinked():
            for saved in self._saved:
                saved.restore(self._find)
        self._saved = []
        layout.activate(layout.viewports[0])  # else the cell of an active plane would stay in sight, empty
        layout.set_grid(*self._grid_before)
        shown = [viewport for viewport in layout.viewports if self.series_id_of(viewport) == self._stack]
        if shown:
            layout.activate(shown[0])
        self.changed.emit()

    def shows_plane(self, viewport: ViewportState) -> bool:
        """A viewport shows a plane of the volume at hand."""
        return self.shown and _shows_plane(viewport)

    def find_plane(self, series_id: str) -> tuple[Study, Series] | None:
        """A stack of planes that is shown, with its study, by the id of a series."""
        found = self._find(self._stack) if self.planes is not None else None
        planes = self.planes.series if self.planes is not None else ()
        every = ((found[0], plane) for plane in planes) if found is not None else ()
        return next((one for one in every if identify(*one) == series_id), None)

    def forget_closed(self) -> None:
        """Close the planes, or stop making them, when their series was closed."""
        if self._stack and self._find(self._stack) is None:
            self._background.drop("mpr")
            self.close()
            self._stack = ""

    def _take(self, planes: Planes) -> None:
        found = self._find(self._stack)
        if found is None:
            return
        study, stack = found
        layout = self._layout()
        if not self.shown:
            self._grid_before = (layout.rows, layout.columns)
            self._saved = [SavedViewport.of(viewport) for viewport in layout.all_viewports]
        self.planes = planes
        source = next((one for one in layout.viewports if self.series_id_of(one) == self._stack), layout.active)
        rendering = source.window, source.inverted, source.color_map
        position = _center(source) if source.series is stack else None
        layout.set_grid(*GRID)
        first = layout.viewports
        for viewport, series in zip(first, (*planes.series, stack)):
            viewport.show(study, series)
            viewport.set_rendering(*rendering)
        for viewport, series in zip(first, planes.series):
            nearest = nearest_frame(series.frames, position) if position is not None else None
            viewport.go_to(viewport.count // 2 if nearest is None else nearest)
        layout.activate(first[0])
        self.changed.emit()


def _center(viewport: ViewportState) -> Vector | None:
    """Position in the patient of the middle pixel of the slice that a viewport shows."""
    frame = viewport.series.frames[viewport.index] if viewport.series is not None else None
    return None if frame is None else to_patient(frame, (frame.image.columns // 2 + 0.5, frame.image.rows // 2 + 0.5))


def _millimeter(viewport: ViewportState) -> float:
    """Logical pixels of a millimeter on the plane that a viewport shows."""
    shape = viewport.shape
    if shape is None or shape.spacing is None:
        return 1.0
    return geometry.scale_of(viewport.view, shape) / min(shape.spacing)


def _shows_plane(viewport: ViewportState) -> bool:
    return viewport.series is not None and is_plane(viewport.series.frames[0])


def _load(series: Series, read: Callable[[FrameRef], Pixels], progress: Progress, cancelled: IsCancelled) -> Planes:
    return planes_of(load_volume(series, read, progress, cancelled))
