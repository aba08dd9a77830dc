"""The tool that leads all viewports to one place in the patient. Knows no widgets."""

from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.linking import LinkState
from desktop.state.viewer.tools import Gesture, Tool
from engine.geometry.planes import to_patient
from engine.geometry.reference_lines import nearest_frame, share_frame_of_reference


class CrosshairTool(Tool):
    """Click or drag: every other viewport of the same frame of reference shows the slice nearest to that place."""

    cursor = "cross"

    def __init__(self, layout: LayoutState, links: LinkState) -> None:
        self._layout, self._links = layout, links

    def press(self, gesture: Gesture) -> None:
        picture = gesture.viewport.picture
        place = to_patient(picture.ref, gesture.point) if picture and gesture.point else None
        if picture is None or place is None:
            return
        with self._links.paused():
            for other in self._layout.viewports:
                if other is gesture.viewport or other.series is None:
                    continue
                index = (
                    nearest_frame(other.series.frames, place)
                    if share_frame_of_reference(other.series.frames[0], picture.ref)
                    else None
                )
                if index is not None:
                    other.go_to(index)

    def move(self, gesture: Gesture) -> None:
        self.press(gesture)
