"""The grid of viewports: rows, columns, and which viewport is active. Knows no widgets."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal
from typing_extensions import override

from desktop.state.viewer.viewport import ViewportState
from engine.image.archived import is_archived

MAX_SIDE = 3
"""Rows and columns at most."""


class LayoutState(QObject):
    """One ViewportState per cell, row by row. A cell that goes out of sight keeps what it shows."""

    changed = Signal()
    """Rows, columns, or which viewport is maximized."""
    active_changed = Signal()
    viewport_added = Signal(object)
    """The new ViewportState."""

    def __init__(self, make: Callable[[str], ViewportState], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make = make
        self._all: list[ViewportState] = []
        self.rows = self.columns = 1
        self.maximized = False
        self._grow(1)
        self.active = self._all[0]
        self.active_proxy = ActiveViewportProxy(self)
        self.study_proxy = StudyViewportProxy(self)

    @property
    def viewports(self) -> list[ViewportState]:
        """Those of the grid, also while one of them is maximized."""
        return self._all[: self.rows * self.columns]

    @property
    def of_study(self) -> ViewportState:
        """The active viewport, or the last active one while the active one shows an archived case."""
        return self.study_proxy.followed

    @property
    def all_viewports(self) -> list[ViewportState]:
        """Those of the grid and those out of sight."""
        return list(self._all)

    def set_grid(self, rows: int, columns: int) -> None:
        """Set rows and columns, each limited to 1 to 3."""
        rows, columns = (min(MAX_SIDE, max(1, count)) for count in (rows, columns))
        if (rows, columns, False) == (self.rows, self.columns, self.maximized):
            return
        kept = self.of_study  # the current image stays in sight of a smaller grid, not an archived case
        if kept.series is None and rows * columns < len(self.viewports):
            kept = next((viewport for viewport in self.viewports if viewport.series is not None), kept)
        self.activate(kept)
        self.rows, self.columns, self.maximized = rows, columns, False
        self._grow(rows * columns)
        if self.active not in self.viewports:
            self._swap_into_sight()
        self.changed.emit()

    def activate(self, viewport: ViewportState) -> None:
        """Make a viewport of the grid the active one."""
        if viewport is not self.active and viewport in self.viewports:
            self.active = viewport
            self.active_changed.emit()
            if self.maximized:
                self.changed.emit()

    def step(self, by: int) -> None:
        """Make the next or previous viewport active; wraps around."""
        here = self.viewports.index(self.active)
        self.activate(self.viewports[(here + by) % len(self.viewports)])

    def toggle_maximized(self) -> None:
        """Maximize the active viewport, or bring the others back."""
        if len(self.viewports) > 1:
            self.maximized = not self.maximized
            self.changed.emit()

    def toggle_patient_data(self) -> None:
        """Hide or show patient data in all viewports at once."""
        visible = not self.active.patient_data_visible
        for viewport in self._all:
            viewport.set_patient_data_visible(visible)

    def toggle_overlay_text(self) -> None:
        """Hide or show the overlay text in all viewports at once."""
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
            self.viewport_added.emit(made)

    def _swap_into_sight(self) -> None:
        """Put the active viewport into the first cell of a smaller grid."""
        here = self._all.index(self.active)
        self._all[0], self._all[here] = self._all[here], self._all[0]


class ActiveViewportProxy(QObject):
    """Attributes and signals of the active viewport, whichever it is, for those that only read it."""

    series_changed = Signal()
    picture_changed = Signal()
    view_changed = Signal()
    redaction_changed = Signal()
    overlay_changed = Signal()

    def __init__(self, layout: LayoutState) -> None:
        super().__init__(layout)
        self._layout = layout
        self.followed = layout.active
        """The viewport whose attributes and signals these are."""
        self._connect()
        layout.active_changed.connect(self._follow)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.followed, name)

    def _follow(self) -> None:
        for name in SIGNALS:
            getattr(self.followed, name).disconnect(getattr(self, name))
        self.followed = self._layout.active
        self._connect()
        self.series_changed.emit()
        self.picture_changed.emit()
        self.view_changed.emit()

    def _connect(self) -> None:
        for name in SIGNALS:
            getattr(self.followed, name).connect(getattr(self, name))


SIGNALS = ("series_changed", "picture_changed", "view_changed", "redaction_changed", "overlay_changed")


class StudyViewportProxy(ActiveViewportProxy):
    """The active viewport, but never one that shows an archived case: search, draft and report are about the study."""

    def __init__(self, layout: LayoutState) -> None:
        super().__init__(layout)
        layout.active_proxy.series_changed.connect(self._follow)  # an open series may have replaced the archived case

    @override
    def _follow(self) -> None:
        active = self._layout.active
        if active is not self.followed and not is_archived(active.series):
            super()._follow()
