"""Which viewports there are, in how many rows and columns, and which one is active. Knows no widgets."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.state.viewer.viewport import ViewportState

MOST = 3
"""Rows, and columns."""


class LayoutState(QObject):
    """One ViewportState a cell, row after row. A cell that goes out of sight keeps what it shows."""

    changed = Signal()
    """Rows, columns, or which one fills the place of all."""
    active_changed = Signal()
    made = Signal(object)
    """A ViewportState that is new."""

    def __init__(self, make: Callable[[str], ViewportState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._all: list[ViewportState] = []
        self.rows = self.columns = 1
        self.maximised = False
        self._grow(1)
        self.active = self._all[0]
        self.shown = ShownViewport(self)

    @property
    def viewports(self) -> list[ViewportState]:
        """Those of the grid, also while one of them fills the place of all."""
        return self._all[: self.rows * self.columns]

    @property
    def every(self) -> list[ViewportState]:
        """Also those out of sight."""
        return list(self._all)

    def set_grid(self, rows: int, columns: int) -> None:
        """Each from 1 to 3; anything else is taken to the nearest."""
        rows, columns = (min(MOST, max(1, count)) for count in (rows, columns))
        if (rows, columns, False) == (self.rows, self.columns, self.maximised):
            return
        self.rows, self.columns, self.maximised = rows, columns, False
        self._grow(rows * columns)
        if self.active not in self.viewports:
            self._swap_into_sight()
        self.changed.emit()

    def activate(self, viewport: ViewportState) -> None:
        if viewport is not self.active and viewport in self.viewports:
            self.active = viewport
            self.active_changed.emit()
            if self.maximised:
                self.changed.emit()

    def step(self, by: int) -> None:
        """Make the next or previous one active, around the corner."""
        here = self.viewports.index(self.active)
        self.activate(self.viewports[(here + by) % len(self.viewports)])

    def toggle_maximised(self) -> None:
        """Let the active viewport fill the place of all, or bring the others back."""
        if len(self.viewports) > 1:
            self.maximised = not self.maximised
            self.changed.emit()

    def toggle_patient_data(self) -> None:
        """For all at once: a name that stays in one corner is not hidden."""
        visible = not self.active.patient_data_visible
        for viewport in self._all:
            viewport.set_patient_data_visible(visible)

    def toggle_overlay_text(self) -> None:
        visible = not self.active.overlay_text_visible
        for viewport in self._all:
            viewport.set_overlay_text_visible(visible)

    def _grow(self, count: int) -> None:
        while len(self._all) < count:
            made = self._make(str(len(self._all) + 1))
            if self._all:
                made.set_patient_data_visible(self._all[0].patient_data_visible)
                made.set_overlay_text_visible(self._all[0].overlay_text_visible)
            self._all.append(made)
            self.made.emit(made)

    def _swap_into_sight(self) -> None:
        """A smaller grid begins with the viewport that was in use."""
        here = self._all.index(self.active)
        self._all[0], self._all[here] = self._all[here], self._all[0]


class ShownViewport(QObject):
    """The active viewport for those who only look at what is in use: its attributes and signals, whichever it is."""

    series_changed = Signal()
    picture_changed = Signal()
    view_changed = Signal()
    redaction_changed = Signal()
    overlay_changed = Signal()

    def __init__(self, layout: LayoutState) -> None:
        super().__init__(layout)
        self._layout = layout
        self._followed: ViewportState | None = None
        layout.active_changed.connect(self._follow)
        self._follow()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layout.active, name)

    def _follow(self) -> None:
        for name in ("series_changed", "picture_changed", "view_changed", "redaction_changed", "overlay_changed"):
            own = getattr(self, name)
            if self._followed is not None:
                getattr(self._followed, name).disconnect(own)
            getattr(self._layout.active, name).connect(own)
        first, self._followed = self._followed is None, self._layout.active
        if not first:
            self.series_changed.emit()
            self.picture_changed.emit()
            self.view_changed.emit()
