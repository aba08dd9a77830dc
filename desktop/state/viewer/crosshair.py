"""Crosshair: shows the point under the mouse in all viewports. Knows no widgets."""

from typing_extensions import override

from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.linking import LinkState
from desktop.state.viewer.tools import Gesture, Tool
from engine.geometry.planes import to_patient
from engine.geometry.reference_lines import nearest_frame, share_frame_of_reference


class CrosshairTool(Tool):
    """Click or drag: every other viewport of the same frame of reference shows the slice nearest to that position."""

    cursor = "cross"

    def __init__(self, layout: LayoutState, links: LinkState) -> None:
        self._layout, self._links = layout, links

    @override
    def press(self, gesture: Gesture) -> None:
        picture = gesture.viewport.picture
        position = to_patient(picture.ref, gesture.image_point) if picture and gesture.image_point else None
        if picture is None or position is None:
            return
        with self._links.paused():
            for other in self._layout.viewports:
                if other is gesture.viewport or other.series is None:
                    continue
                frames = other.series.frames
                shared = share_frame_of_reference(frames[0], picture.ref)
                index = nearest_frame(frames, position) if shared else None
                if index is not None:
                    other.go_to(index)

    @override
    def move(self, gesture: Gesture) -> None:
        self.press(gesture)
