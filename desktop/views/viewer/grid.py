"""Lays out the viewports in rows and columns, or the active one alone. Connects their signals; holds no state."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from desktop.desk import Desk
from desktop.state.viewer.viewport import ViewportState
from desktop.views.painting.painters import painters_for
from desktop.views.viewer.annotation_field import AnnotationField
from desktop.views.viewer.viewport import ViewportView


class ViewportGrid(QWidget):
    """Keeps a view of every viewport once shown; only those of the current layout are visible."""

    view_made = Signal(object)
    """A new ViewportView, which needs the actions of the commands marked `in_viewport`."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.over_painters = painters_for(desk)
        self._views: dict[ViewportState, ViewportView] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)
        self.annotation_field = AnnotationField(desk.annotation_text, self.view_of, self)
        desk.layout.changed.connect(self._arrange)
        desk.search.hits_changed.connect(self._repaint)
        desk.magnifier.changed.connect(self._repaint_one)
        desk.key_pointer.changed.connect(self._repaint_one)
        desk.layout.active_changed.connect(self._mark)
        self._arrange()

    @property
    def views(self) -> list[ViewportView]:
        """The views of the current layout, row by row."""
        return [self.view_of(state) for state in self._desk.layout.viewports]

    @property
    def active(self) -> ViewportView:
        """The view of the active viewport."""
        return self.view_of(self._desk.layout.active)

    def view_of(self, state: ViewportState) -> ViewportView:
        """The view of a viewport, created on first use."""
        if state not in self._views:
            view = ViewportView(state, self._desk.tools, self.over_painters, self, self._desk.key_pointer)
            view.activated.connect(self._desk.layout.activate)
            view.double_clicked.connect(self._desk.layout.toggle_maximized)
            view.series_dropped.connect(self._desk.show_series_in)
            view.scrolled_alone.connect(self._desk.links.scroll_alone)
            view.case_dropped.connect(self._desk.comparison.drop)
            if self._views:
                self.setTabOrder(next(reversed(self._views.values())), view)
            self._views[state] = view
            self.view_made.emit(view)
        return self._views[state]

    def _arrange(self) -> None:
        layout = self._desk.layout
        focus = self.window().focusWidget()  # that of a child is what had the keyboard once
        had_focus = focus is not None and self.isAncestorOf(focus)
        for view in self._views.values():
            self._grid.removeWidget(view)
        shown = [layout.active] if layout.maximized else layout.viewports
        columns = 1 if layout.maximized else layout.columns
        for number, state in enumerate(shown):
            self._grid.addWidget(self.view_of(state), *divmod(number, columns))
        for line in range(3):
            self._grid.setRowStretch(line, 1 if line * columns < len(shown) else 0)
            self._grid.setColumnStretch(line, 1 if line < columns else 0)
        for state, view in self._views.items():
            view.setVisible(state in shown)
        self._mark()
        if had_focus:
            self.active.setFocus()

    def _repaint(self) -> None:
        """Show or remove the region that was searched by."""
        for view in self._views.values():
            view.update()

    def _repaint_one(self, state: ViewportState | None) -> None:
        if state in self._views:
            self._views[state].update()

    def _mark(self) -> None:
        layout = self._desk.layout
        for state, view in self._views.items():
            view.set_active(state is layout.active, len(layout.viewports) > 1 and not layout.maximized)
        for number, state in enumerate(layout.viewports, 1):
            one = len(layout.viewports) == 1
            self._views[state].setAccessibleName("Image" if one else f"Image {number} of {len(layout.viewports)}")
