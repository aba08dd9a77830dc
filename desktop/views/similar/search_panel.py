"""The panel "Similar cases": words, current image or both, filters, hits, and the chosen hit in full. No logic."""

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
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.views.similar.case_view import CaseView, CaseWindow
from desktop.views.similar.hit_list import HitList
from desktop.views.similar.search_filters import SearchFilters


class SearchPanel(QWidget):
    def __init__(self, state: SearchState, archive: ArchiveState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state, self._archive = state, archive
        self.words = QLineEdit()
        self.words.setAcceptDrops(False)  # a study that is dropped here is for the window to open
        self.words.setPlaceholderText("Words, e.g. pleural effusion")
        self.words.setClearButtonEnabled(True)
        self.words.setAccessibleName("Words to search for")
        self.words.setToolTip("Search the archive by words (Ctrl+F)")
        self.with_image = QCheckBox("Current image")
        self.with_image.setToolTip("Include the image on screen, at its window, in the search")
        self.go = QPushButton("Search")
        self.go.setProperty("primary", True)
        self.go.setToolTip("Search by the words and the image chosen here (Enter)")
        self.filters = SearchFilters(state, archive)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setProperty("muted", True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.hint.setContentsMargins(4, 8, 4, 4)
        self.summary = QLabel()
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setWordWrap(True)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.notice.setProperty("notice", True)
        self.hits = HitList(state)
        self.detail = CaseView(state)
        self.clear = QPushButton("Clear filters and search again")
        self.clear.setToolTip("Search all modalities, kinds, sexes and ages")
        self._window: CaseWindow | None = None
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        for widget, stretch in ((self.words, 1), (self.with_image, 0), (self.go, 0)):
            first.addWidget(widget, stretch)
        told = QHBoxLayout()
        told.addWidget(self.summary, 1)
        told.addWidget(self.detail.enlarge)
        told.addWidget(self.detail.copy)
        nothing = QWidget()
        below = QVBoxLayout(nothing)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.hint)
        below.addWidget(self.clear, 0, Qt.AlignmentFlag.AlignLeft)
        below.addStretch(1)
        self.results = QSplitter(Qt.Orientation.Vertical)
        self.results.setChildrenCollapsible(False)
        self.results.addWidget(self.hits)
        self.results.addWidget(self.detail)
        self.results.setStretchFactor(0, 3)
        self.results.setStretchFactor(1, 1)
        self.results.setSizes([300, 100])
        self.body = QStackedWidget()
        self.body.addWidget(nothing)
        self.body.addWidget(self.results)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addWidget(self.filters)
        layout.addLayout(told)
        layout.addWidget(self.notice)
        layout.addWidget(self.body, 1)
        line = self.fontMetrics().lineSpacing()
        self.detail.text.setMinimumHeight(3 * line)
        self.hits.setMinimumHeight(5 * line)

    def _connect(self) -> None:
        self.words.textEdited.connect(self._fill_in)
        self.words.textChanged.connect(self._fill_in)
        self.words.returnPressed.connect(self._state.search)
        self.with_image.toggled.connect(self._fill_in)
        self.go.clicked.connect(self._state.search)
        self._state.changed.connect(self._show)
        self.clear.clicked.connect(self._state.clear_filters)
        self.hits.activated.connect(lambda _: self.show_case())
        self.detail.enlarge.clicked.connect(self.show_case)
        for widget, keys, run in (
            (self.words, "Down", self._to_hits),
            (self.hits, QKeySequence.StandardKey.Copy, self.detail.copy_text),
        ):
            shortcut = QShortcut(QKeySequence(keys), widget, run)
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)  # else these keys are dead in the whole window

    def focus_words(self) -> None:
        self.words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.words.selectAll()

    def show_case(self) -> None:
        """The chosen case in a window of its own."""
        if self._state.selected is None:
            return
        if self._window is None:
            self._window = CaseWindow(self._state, self)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _to_hits(self) -> None:
        if self._state.hits:
            self.hits.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _fill_in(self) -> None:
        form = replace(self._state.form, text=self.words.text(), with_image=self.with_image.isChecked())
        self._state.set_form(form)

    def _show(self) -> None:
        state, form = self._state, self._state.form
        for widget in (self.words, self.with_image):
            widget.blockSignals(True)
        if self.words.text() != form.text:
            self.words.setText(form.text)
        self.with_image.setChecked(form.with_image)
        for widget in (self.words, self.with_image):
            widget.blockSignals(False)
        reason = state.why_not()
        self.go.setEnabled(not reason)
        for shown in (self.summary, self.detail.enlarge, self.detail.copy):
            shown.setVisible(bool(state.hits))
        self.notice.setText(state.notice)
        self.notice.setVisible(bool(state.hits and state.notice))
        if state.hits:
            count = len(state.hits)
            away = " – not the image on screen" if state.elsewhere else ""
            self.summary.setText(f"{'1 case' if count == 1 else f'{count} cases'} for {state.answered}{away}")
            palette = self.summary.palette()
            color = theme.current.amber if away else theme.current.muted
            palette.setColor(QPalette.ColorRole.WindowText, QColor(color))
            self.summary.setPalette(palette)
        self.body.setCurrentIndex(1 if state.hits else 0)
        self.hint.setText(self._hint(reason))
        self.clear.setVisible(bool(state.why_none()) and form.filtered and not state.searching)

    def _hint(self, reason: str) -> str:
        state = self._state
        if state.searching:
            return "Searching …"
        if state.failure:
            return state.failure
        if reason:
            return reason
        if state.why_none():
            return state.why_none()
        return "Press Search to find earlier cases that look or read like this one."
