"""Viewports that move together: scroll, zoom, pan and window of one are those of the others. Knows no widgets.

Scrolling follows the patient's position where both stacks have one frame of reference; stacks at an angle stay. Two
studies are lined up by hand first: then each goes as many millimetres in the patient as the other, whatever the order
and spacing of its slices. Without places they keep their distance in frames. Turns and flips are each viewport's own.
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


class LinkState(QObject):
    """On or off, for all viewports of the grid."""

    changed = Signal()

    def __init__(self, layout: LayoutState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layout = layout
        self.linked = False
        self.lines_visible = True
        """Where the active frame cuts the others is shown on them."""
        self._following = False
        self._starts: dict[ViewportState, int] = {}
        for viewport in layout.every:
            self._join(viewport)
        layout.made.connect(self._join)
        layout.shown.picture_changed.connect(self._repaint_lines)

    def toggle(self) -> None:
        self.linked = not self.linked
        self._starts = {viewport: viewport.index for viewport in self._layout.every}
        self.changed.emit()

    def toggle_lines(self) -> None:
        self.lines_visible = not self.lines_visible
        self._repaint_lines()
        self.changed.emit()

    def _repaint_lines(self) -> None:
        for viewport in self._layout.viewports:
            if viewport is not self._layout.active:
                viewport.overlay_changed.emit()

    def _join(self, viewport: ViewportState) -> None:
        viewport.index_changed.connect(partial(self._scroll, viewport))
        viewport.view_changed.connect(partial(self._look, viewport))
        viewport.window_changed.connect(partial(self._window, viewport))
        viewport.series_changed.connect(partial(self._start, viewport))

    def _start(self, viewport: ViewportState) -> None:
        """Another series: its distance to the others counts from where all stand now."""
        self._starts = {other: other.index for other in self._layout.every}

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Viewports are led one by one: none follows another meanwhile."""
        before, self._following = self._following, True
        try:
            yield
        finally:
            self._following = before

    @contextmanager
    def _lead(self, viewport: ViewportState) -> Iterator[list[ViewportState]]:
        """The viewports that follow this one; what they do in turn is not followed."""
        if not self.linked or self._following or viewport not in self._layout.viewports or viewport.series is None:
            yield []
            return
        self._following = True
        try:
            yield [other for other in self._layout.viewports if other is not viewport and other.series is not None]
        finally:
            self._following = False

    def _scroll(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                target = self._target(leader, other)
                if target is not None:
                    other.go_to(target)

    def _target(self, leader: ViewportState, other: ViewportState) -> int | None:
        """The frame that the other stack goes to; None: it stays."""
        if leader.series is None or other.series is None:
            return None
        own, others = leader.series.frames, other.series.frames
        start, other_start = self._starts.get(leader, 0), self._starts.get(other, 0)
        target = frame_at_same_position(own[leader.index], others)
        if target is None and at_an_angle(own[leader.index], others):
            return None
        if target is None and start < len(own) and other_start < len(others):
            target = frame_at_same_distance(own[leader.index], own[start], others, others[other_start])
        return other_start + leader.index - start if target is None else target

    def _look(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                if leader.shape and other.shape:
                    other.match_view(follow(leader.view, leader.shape, other.view, other.shape))

    def _window(self, leader: ViewportState) -> None:
        with self._lead(leader) as others:
            for other in others:
                if leader.series and other.series and leader.series.modality == other.series.modality:
                    other.set_window(leader.window)


def follow(leader: View, shape: Shape, own: View, own_shape: Shape) -> View:
    """The look of another picture like this one: the same size in millimetres where both are known, else relative to
    how each fits; moved by the same way on the screen."""
    if leader.scale is None:
        return replace(own, scale=None, pan=leader.pan)
    if shape.spacing and own_shape.spacing and shape.in_mm and own_shape.in_mm:
        scale = leader.scale * min(own_shape.spacing) / min(shape.spacing)
    else:
        fits = geometry.fit_scale(leader, shape), geometry.fit_scale(own, own_shape)
        scale = leader.scale * fits[1] / fits[0]
    return replace(own, scale=scale, pan=leader.pan)
