"""The panel "Similar cases": query, filters, hits, and the selected case. Shows a SearchState; decides nothing."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.settings import SettingsState
from desktop.state.shortcuts import ShortcutsState
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.comparison import ComparisonState
from desktop.state.similar.search import SearchState
from desktop.state.similar.space import SpaceState
from desktop.views.elided_label import ElidedLabel
from desktop.views.key_tips import set_tip
from desktop.views.panel_scroll import ScrolledPanel
from desktop.views.similar.case_view import CaseView, CaseWindow
from desktop.views.similar.fact_chips import FactChips
from desktop.views.similar.hit_list import HitList
from desktop.views.similar.refinement import Refinement
from desktop.views.similar.search_filters import SearchFilters
from desktop.views.similar.space_view import SpaceView
from engine.text.words import counted


def _step(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    return button


class SearchPanel(ScrolledPanel):
    """Query and filters above, then the hits over the selected case, or a hint while there are none."""

    def __init__(
        self,
        state: SearchState,
        archive: ArchiveState,
        comparison: ComparisonState,
        space: SpaceState,
        settings: SettingsState,
        shortcuts: ShortcutsState,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state, self._archive, self._comparison, self._space = state, archive, comparison, space
        self._settings, self._shortcuts = settings, shortcuts
        self.text = QLineEdit()
        self.text.setAcceptDrops(False)  # the window opens dropped files
        self.text.setPlaceholderText("Text, e.g. pleural effusion")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Text to search for")
        set_tip(self.text, shortcuts, "Search the archive by text ({search_by_text})")
        self.back, self.forward = _step("‹", "Back to previous search"), _step("›", "Forward to next search")
        set_tip(self.back, shortcuts, "Back to previous search ({previous_search})")
        set_tip(self.forward, shortcuts, "Forward to next search ({next_search})")
        self.case = QToolButton()
        self.case.setProperty("chip", True)
        self.case.setToolTip("Search by the current image again instead of this case")
        self.with_image = QCheckBox("Current image")
        self.with_image.setToolTip("Include the current image, at its window, in the search")
        self.go = QPushButton("Search")
        self.go.setProperty("primary", True)
        self.go.setToolTip("Search by the text, the current image, or both (Enter)")
        self.filters = SearchFilters(state, archive)
        self.show_filters = QPushButton("Filters")
        self.show_filters.setProperty("flat", True)
        self.show_filters.setCheckable(True)
        self.show_filters.setToolTip("Show the filters and how text is matched")
        self.refinement = Refinement(state)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setProperty("muted", True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.hint.setContentsMargins(4, 8, 4, 4)
        self.summary = ElidedLabel(letters=12)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.notice.setProperty("notice", True)
        self.facts = FactChips(state)
        self.hits = HitList(state, comparison, settings)
        self.space = SpaceView(space)
        self.show_space = QPushButton("Map")
        self.show_space.setProperty("flat", True)
        self.show_space.setCheckable(True)
        set_tip(self.show_space, shortcuts, "Show the hits as a map around the query ({hit_map})")
        self.show_grid = QPushButton("Grid")
        self.show_grid.setProperty("flat", True)
        self.show_grid.setCheckable(True)
        set_tip(self.show_grid, shortcuts, "Show the hits as a grid of pictures ({hit_grid})")
        self.detail = CaseView(state, shortcuts)
        self.compare = QPushButton("Compare")
        self.compare.setProperty("flat", True)
        self.compare.setToolTip("Show the archived image of the selected case beside the current image (Enter)")
        self.clear = QPushButton("Clear filters and search again")
        self.clear.setToolTip("Remove the filters for modality, kind, sex and age, and search again")
        self._window: CaseWindow | None = None
        self._lay_out()
        self._connect()
        self._show()
        self._show_found()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.setSpacing(4)
        for widget in (self.back, self.forward, self.text, self.with_image, self.case, self.go):
            first.addWidget(widget, 1 if widget is self.text else 0)
        above_hits = QHBoxLayout()
        above_hits.addWidget(self.summary, 1)
        above_hits.addWidget(self.compare)
        above_hits.addWidget(self.show_grid)
        above_hits.addWidget(self.show_space)
        above_hits.addWidget(self.show_filters)
        nothing = QWidget()
        below = QVBoxLayout(nothing)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.hint)
        below.addWidget(self.clear, 0, Qt.AlignmentFlag.AlignLeft)
        below.addStretch(1)
        self.results = QSplitter(Qt.Orientation.Vertical)
        self.results.setChildrenCollapsible(False)
        self.found = QStackedWidget()
        self.found.addWidget(self.hits)
        self.found.addWidget(self.space)
        self.results.addWidget(self.found)
        self.results.addWidget(self.detail)
        self.results.setStretchFactor(0, 3)
        self.results.setStretchFactor(1, 1)
        self.results.setSizes([400, 80])
        self.body = QStackedWidget()
        self.body.addWidget(nothing)
        self.body.addWidget(self.results)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addWidget(self.filters)
        layout.addLayout(above_hits)
        layout.addWidget(self.facts)
        layout.addWidget(self.refinement)
        layout.addWidget(self.notice)
        layout.addWidget(self.body, 1)
        line = self.fontMetrics().lineSpacing()
        self.detail.text.setMinimumHeight(3 * line)
        self.hits.setMinimumHeight(5 * line)

    def _connect(self) -> None:
        self.text.textEdited.connect(self._fill_in)
        self.text.textChanged.connect(self._fill_in)
        self.text.returnPressed.connect(lambda: self._state.search())
        self.with_image.toggled.connect(self._fill_in)
        self.go.clicked.connect(lambda: self._state.search())
        self._state.changed.connect(self._show)
        self.clear.clicked.connect(self._state.clear_filters)
        self.compare.clicked.connect(self._comparison.start)
        self.back.clicked.connect(self._state.go_back)
        self.forward.clicked.connect(self._state.go_forward)
        self.case.clicked.connect(self._state.leave_case)
        self.show_filters.toggled.connect(self._show)
        self.show_space.clicked.connect(self._space.toggle)
        self.show_grid.clicked.connect(self.toggle_grid)
        self._space.changed.connect(self._show_found)
        self._settings.changed.connect(self._show_found)
        self.detail.open.clicked.connect(self.open_case)
        for widget, keys, run in (
            (self.text, "Down", self._to_hits),
            (self.hits, QKeySequence.StandardKey.Copy, self.detail.copy_text),
        ):
            shortcut = QShortcut(QKeySequence(keys), widget, run)
            shortcut.setContext(
                Qt.ShortcutContext.WidgetShortcut
            )  # a window shortcut would take these keys from other widgets

    def focus_text(self) -> None:
        """Move the keyboard to the text field and select its content."""
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.text.selectAll()

    def open_case(self) -> None:
        """Open the selected case in its own window."""
        if self._state.selected is None:
            return
        if self._window is None:
            self._window = CaseWindow(self._state, self._shortcuts, self)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def toggle_grid(self) -> None:
        """Show the hits as a grid of pictures, or as rows if they are; from the map, as the grid."""
        grid = self._space.visible or not self._settings.now.hit_grid
        if self._space.visible:
            self._space.toggle()
        self._settings.change(hit_grid=grid)
        self._show_found()

    def _to_hits(self) -> None:
        if self._state.hits:
            self.hits.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fill_in(self) -> None:
        form = replace(self._state.form, text=self.text.text())
        if self.with_image.isEnabled():
            form = replace(form, with_image=self.with_image.isChecked())
        self._state.set_form(form)

    def _show(self) -> None:
        state, form = self._state, self._state.form
        for widget in (self.text, self.with_image):
            widget.blockSignals(True)
        if self.text.text() != form.text:
            self.text.setText(form.text)
        self.with_image.setChecked(form.uses_image)
        self.with_image.setEnabled(form.mode != "lexical")
        for widget in (self.text, self.with_image):
            widget.blockSignals(False)
        reason = state.why_not()
        self.go.setEnabled(not reason)
        self.back.setEnabled(state.can_go_back)
        self.forward.setEnabled(state.can_go_forward)
        self.case.setVisible(form.case is not None)
        self.case.setText(f"Case {form.case} ×")
        self.with_image.setVisible(form.case is None)
        for shown in (self.summary, self.compare, self.show_grid, self.show_space, self.show_filters):
            shown.setVisible(bool(state.hits))
        count = sum(bool(value) for value in (form.modality, form.kind, form.sex, form.age.strip()))
        self.show_filters.setText(f"Filters ({count})" if count else "Filters")
        self.filters.setVisible(not state.hits or self.show_filters.isChecked())
        notice = reason or state.notice  # below hits of an earlier search there is no other room for the reason
        self.notice.setText(notice)
        self.notice.setVisible(bool(state.hits and notice))
        if state.hits:
            other = "Not the current image: " if state.image_differs else ""
            other = "Searching… " if state.searching else other  # first, since the end may be cut
            self.summary.setText(f"{other}{counted(len(state.hits), 'case')} for {state.answered}")
            palette = self.summary.palette()
            color = theme.current.amber if state.image_differs else theme.current.muted
            palette.setColor(QPalette.ColorRole.WindowText, QColor(color))
            self.summary.setPalette(palette)
        self.body.setCurrentIndex(1 if state.hits else 0)
        self.hint.setText(self._hint(reason))
        self.clear.setVisible(bool(state.why_none()) and form.filtered and not state.searching)

    def _show_found(self) -> None:
        """Rows, the grid, or the map."""
        self.show_grid.setChecked(self._settings.now.hit_grid and not self._space.visible)
        self.show_space.setChecked(self._space.visible)
        self.found.setCurrentIndex(1 if self._space.visible else 0)

    def _hint(self, reason: str) -> str:
        state = self._state
        if state.searching:
            return "Searching…"
        if state.failure:
            return state.failure
        if reason:
            return reason
        if state.why_none():
            return state.why_none()
        return "Press Search to find similar cases by the current image, by text, or by both."
