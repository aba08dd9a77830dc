"""Linked viewports: scroll, zoom, pan and window of one apply to the others. Knows no widgets.

Scrolling follows the position in the patient where both stacks share a frame of reference; stacks at an angle stay. Two
studies are aligned by hand first: then each moves as many millimeters in the patient as the other, whatever the order
and spacing of its slices. Without positions they keep their distance in frames. Rotation and flip are not linked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject, Signal

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState
from engine.geometry.linked_frames import at_an_angle, frame_at_same_distance, frame_at_same_position
from engine.image.archived import is_archived


class LinkState(QObject):
    """Whether the viewports of the grid are linked, and whether reference lines are shown."""

    changed = Signal()

    def __init__(self, layout: LayoutState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layout = layout
        self.linked = False
        self.reference_lines_visible = True
        """Each other image shows where the active one cuts it."""
        self.pair: frozenset[ViewportState] = frozenset()
        """Viewports that are linked to each other even while the others are not."""
        self._following = False
        self._starts: dict[ViewportState, int] = {}
        for viewport in layout.all_viewports:
            self._connect(viewport)
        layout.viewport_added.connect(self._connect)
        layout.active_proxy.picture_changed.connect(self._repaint_lines)

    def toggle(self) -> None:
        """Link the viewports as they are now, or unlink them."""
        self.linked = not self.linked
        self._starts = {viewport: viewport.index for viewport in self._layout.all_viewports}
        self.changed.emit()

    def toggle_reference_lines(self) -> None:
        """Show or hide the reference lines."""
        self.reference_lines_visible = not self.reference_lines_visible
        self._repaint_lines()
        self.changed.emit()

    def _repaint_lines(self) -> None:
        for viewport in self._layout.viewports:
            if viewport is not self._layout.active:
                viewport.overlay_changed.emit()

    def _connect(self, viewport: ViewportState) -> None:
        viewport.index_changed.connect(partial(self._scroll, viewport))
        viewport.view_changed.connect(partial(self._match_views, viewport))
        viewport.window_changed.connect(partial(self._match_windows, viewport))
        viewport.series_changed.connect(self._restart)

    def _restart(self) -> None:
        """Count distances from the frames shown now: a viewport shows another series."""
        self._starts = {other: other.index for other in self._layout.all_viewports}

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Move viewports one by one: none follows another meanwhile."""
        before, self._following = self._following, True
        try:
            yield
        finally:
            self._following = before

    @contextmanager
    def _lead(self, viewport: ViewportState) -> Iterator[list[ViewportState]]:
        """The viewports that follow this one; nobody follows them in turn."""
        if self._following or viewport not in self._layout.viewports or viewport.series is None:
            yield []
            return
        joined = self._layout.viewports if self.linked else self.pair if viewport in self.pair else ()
        self._following = True
        try:
            yield [other for other in joined if other is not viewport and other.series is not None]
        finally:
            self._following = False

    def scroll_alone(self, viewport: ViewportState, steps: int) -> None:
        """Scroll one viewport without the others, which keep the new offset from then on."""
        with self.paused():
            viewport.scroll(steps)
        self._restart()

    def _scroll(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                target = self._target(leader, other)
                if target is not None:
                    other.go_to(target)

    def _target(self, leader: ViewportState, other: ViewportState) -> int | None:
        """Index of the frame that the other stack goes to; None: it stays."""
        if leader.series is None or other.series is None or is_archived(leader.series) or is_archived(other.series):
            return None  # an archived case has few images, and none has a position
        own, others = leader.series.frames, other.series.frames
        start, other_start = self._starts.get(leader, 0), self._starts.get(other, 0)
        target = frame_at_same_position(own[leader.index], others)
        if target is None and at_an_angle(own[leader.index], others):
            return None
        if target is None and start < len(own) and other_start < len(others):
            target = frame_at_same_distance(own[leader.index], own[start], others, others[other_start])
        return other_start + leader.index - start if target is None else target

    def _match_views(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                if leader.shape and other.shape:
                    other.match_view(matching_view(leader.view, leader.shape, other.view, other.shape))

    def _match_windows(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                alike = leader.series and other.series and leader.series.modality == other.series.modality
                if alike and is_archived(leader.series) == is_archived(other.series):
                    other.set_window(leader.window)


def matching_view(leader: View, shape: Shape, own: View, own_shape: Shape) -> View:
    """Give a picture the zoom and pan of another one.

    The zoom is the same in millimeters where both are known, else relative to how each fits; the pan is that on screen.
    """
    if leader.scale is None:
        return replace(own, scale=None, pan=leader.pan)
    if shape.spacing and own_shape.spacing and shape.in_mm and own_shape.in_mm:
        scale = leader.scale * min(own_shape.spacing) / min(shape.spacing)
    else:
        fits = geometry.fit_scale(leader, shape), geometry.fit_scale(own, own_shape)
        scale = leader.scale * fits[1] / fits[0]
    return replace(own, scale=scale, pan=leader.pan)
