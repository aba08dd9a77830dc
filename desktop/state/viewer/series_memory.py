"""Remembers how each open series was last shown: frame, window, colors, zoom and pan. Knows no widgets."""

from dataclasses import dataclass

from desktop.state.viewer.geometry import View
from engine.image.voi import Window


@dataclass(frozen=True, slots=True)
class Shown:
    """How a series was shown."""

    index: int
    window: Window | None
    inverted: bool
    color_map: str
    view: View


class SeriesMemory:
    """By the id of a series (studies.identify); shared by all viewports."""

    def __init__(self) -> None:
        self._shown: dict[str, Shown] = {}

    def keep(self, series_id: str, shown: Shown) -> None:
        """Remember how a series is shown now."""
        self._shown[series_id] = shown

    def recall(self, series_id: str) -> Shown | None:
        """How it was last shown; None for a series that was not shown yet."""
        return self._shown.get(series_id)

    def keep_only(self, series_ids: set[str]) -> None:
        """Forget all others: they were closed."""
        self._shown = {key: shown for key, shown in self._shown.items() if key in series_ids}
