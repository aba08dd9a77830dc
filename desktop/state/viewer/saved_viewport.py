"""What a viewport showed, to show it again after something else took its place. Knows no widgets."""

from collections.abc import Callable
from dataclasses import dataclass

from desktop.state.studies.studies import identify
from desktop.state.viewer.geometry import View
from desktop.state.viewer.viewport import ViewportState
from engine.image.voi import Window
from engine.study import Series, Study

Find = Callable[[str], tuple[Study, Series] | None]
"""An open series by its id, as it stands now."""


@dataclass(frozen=True, slots=True)
class SavedViewport:
    """Series, frame, window, color map, zoom and pan of a viewport."""

    viewport: ViewportState
    series_id: str
    """"" for nothing."""
    index: int
    window: Window | None
    inverted: bool
    color_map: str
    view: View

    @classmethod
    def of(cls, viewport: ViewportState) -> "SavedViewport":
        """What a viewport shows now."""
        return cls(
            viewport,
            series_id=identify(viewport.study, viewport.series),
            index=viewport.index,
            window=viewport.window,
            inverted=viewport.inverted,
            color_map=viewport.color_map,
            view=viewport.view,
        )

    def restore(self, find: Find) -> None:
        """Show it again; a viewport whose series was closed meanwhile stays empty."""
        viewport = self.viewport
        study, series = find(self.series_id) or (None, None)
        if viewport.series is not series:
            viewport.show(study, series)
        if series is None:
            return
        viewport.go_to(self.index)
        viewport.set_rendering(self.window, self.inverted, self.color_map)
        viewport.set_view(self.view)
