"""The tool that searches by a region dragged on the current image. Knows no widgets."""

from collections.abc import Callable

from desktop.state.pictures.picture import box_between
from desktop.state.similar.search import SearchState
from desktop.state.viewer.basic_tools import RubberBand, RubberBandTool
from desktop.state.viewer.layout import LayoutState
from desktop.state.viewer.viewport import ViewportState
from engine.study import Point


class SearchRoiTool(RubberBandTool):
    """Searches on release; `say` shows why a rectangle cannot be searched by."""

    def __init__(
        self, band: RubberBand, search: SearchState, layout: LayoutState, say: Callable[[str], object]
    ) -> None:
        super().__init__(band, self._search_by)
        self._search, self._layout, self._say = search, layout, say

    def _search_by(self, viewport: ViewportState, start: Point, end: Point) -> None:
        picture, corners = viewport.picture, (viewport.to_image(start), viewport.to_image(end))
        if viewport is not self._layout.of_study or picture is None or corners[0] is None or corners[1] is None:
            self._say("Drag the ROI on the current image, not on an archived case.")
            return
        box = box_between(corners[0], corners[1], picture.shape)
        if box is None:
            self._say("This ROI is too small to search by; drag a larger one.")
            return
        self._search.search_roi(box)
