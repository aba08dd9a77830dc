"""The panel "Similar cases": words, current image or both, filters, hits, and the chosen hit in full. No logic."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.archive import ArchiveState
from desktop.state.search import SearchState
from desktop.views.hit_list import HitList, about

MODES = (("By meaning", "vector"), ("Exact words", "lexical"), ("Both ways", "hybrid"))
KINDS = (("All kinds", ""), ("Images", "image"), ("Reports", "report"))


class SearchPanel(QWidget):
    def __init__(self, state: SearchState, archive: ArchiveState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state, self._archive = state, archive
        self.words = QLineEdit()
        self.words.setPlaceholderText("Words, e.g. pleural effusion")
        self.words.setClearButtonEnabled(True)
        self.words.setAccessibleName("Words to search for")
        self.words.setToolTip("Search the archive by words (Ctrl+F)")
        self.with_image = QCheckBox("Current image")
        self.with_image.setToolTip("Include the image on screen, at its window, in the search")
        self.go = QPushButton("Search")
        self.go.setProperty("primary", True)
        self.go.setToolTip("Search by the words and the image chosen here (Enter)")
        self.modality = _combo("Modality", [("All modalities", "")])
        self.kind = _combo("Kind of hit", KINDS)
        self.mode = _combo("How to match words", MODES)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setProperty("muted", True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.hint.setContentsMargins(4, 8, 4, 4)
        self.asked = QLabel()
        self.asked.setTextFormat(Qt.TextFormat.PlainText)
        self.notice = QLabel()
        self.notice.setWordWrap(True)
        self.notice.setProperty("notice", True)
        self.hits = HitList(state)
        self.detail = QPlainTextEdit()
        self.detail.setReadOnly(True)
        self.detail.setTabChangesFocus(True)
        self.detail.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.detail.setAccessibleName("Text of the chosen case")
        self._lay_out()
        self._connect()
        self._show()

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        for widget, stretch in ((self.words, 1), (self.with_image, 0), (self.go, 0)):
            first.addWidget(widget, stretch)
        second = QHBoxLayout()
        for combo in (self.modality, self.kind, self.mode):
            second.addWidget(combo, 1)
        self.results = QSplitter(Qt.Orientation.Vertical)
        self.results.setChildrenCollapsible(False)
        self.results.addWidget(self.hits)
        self.results.addWidget(self.detail)
        self.results.setStretchFactor(0, 3)
        self.results.setStretchFactor(1, 1)
        self.results.setSizes([300, 84])
        self.body = QStackedWidget()
        self.body.addWidget(self.hint)
        self.body.addWidget(self.results)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 6)
        layout.setSpacing(6)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.asked)
        layout.addWidget(self.notice)
        layout.addWidget(self.body, 1)
        line = self.fontMetrics().lineSpacing()
        self.detail.setMinimumHeight(3 * line)
        self.hits.setMinimumHeight(5 * line)

    def _connect(self) -> None:
        self.words.textEdited.connect(self._fill_in)
        self.words.textChanged.connect(self._fill_in)
        self.words.returnPressed.connect(self._state.search)
        self.with_image.toggled.connect(self._fill_in)
        for combo in (self.modality, self.kind, self.mode):
            combo.currentIndexChanged.connect(self._fill_in)
        self.go.clicked.connect(self._state.search)
        self._state.changed.connect(self._show)
        self._state.selection_changed.connect(self._show_detail)
        self._archive.changed.connect(self._list_modalities)

    def focus_words(self) -> None:
        self.words.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.words.selectAll()

    def _fill_in(self) -> None:
        form = replace(
            self._state.form,
            text=self.words.text(),
            with_image=self.with_image.isChecked(),
            modality=self.modality.currentData() or "",
            kind=self.kind.currentData() or None,
            mode=self.mode.currentData() or "vector",
        )
        self._state.set_form(form)

    def _show(self) -> None:
        state, form = self._state, self._state.form
        for widget in (self.words, self.with_image, self.modality, self.kind, self.mode):
            widget.blockSignals(True)
        if self.words.text() != form.text:
            self.words.setText(form.text)
        self.with_image.setChecked(form.with_image)
        for combo, value in ((self.modality, form.modality), (self.kind, form.kind or ""), (self.mode, form.mode)):
            combo.setCurrentIndex(max(0, combo.findData(value)))
        for widget in (self.words, self.with_image, self.modality, self.kind, self.mode):
            widget.blockSignals(False)
        reason = state.why_not()
        self.go.setEnabled(not reason)
        self.asked.setVisible(bool(state.hits))
        self.notice.setText(state.notice)
        self.notice.setVisible(bool(state.hits and state.notice))
        if state.hits:
            count = len(state.hits)
            away = " – not the image on screen" if state.elsewhere else ""
            self.asked.setText(f"{'1 case' if count == 1 else f'{count} cases'} for {state.asked}{away}")
            palette = self.asked.palette()
            palette.setColor(QPalette.ColorRole.WindowText, QColor(theme.AMBER if away else theme.MUTED))
            self.asked.setPalette(palette)
        self.body.setCurrentIndex(1 if state.hits else 0)
        self.hint.setText(self._hint(reason))

    def _hint(self, reason: str) -> str:
        state = self._state
        if state.searching:
            return "Searching …"
        if state.failure:
            return state.failure
        if reason:
            return reason
        if state.asked is not None:
            return f"Nothing found for {state.asked}. Try other words, or fewer filters."
        return "Press Search to find earlier cases that look or read like this one."

    def _list_modalities(self) -> None:
        names = [name for name in self._archive.stats.get("modalities", {}) if name]
        wanted = [("All modalities", ""), *((name, name) for name in names)]
        if wanted != [
            (self.modality.itemText(row), self.modality.itemData(row)) for row in range(self.modality.count())
        ]:
            self.modality.blockSignals(True)
            self.modality.clear()
            for text, value in wanted:
                self.modality.addItem(text, value)
            self.modality.blockSignals(False)
        self._fill_in()
        self._show()

    def _show_detail(self) -> None:
        hit = self._state.selected
        self.detail.setPlainText(f"{hit.text or 'No report.'}\n\n{about(hit)}: {hit.why}" if hit else "")


def _combo(name: str, items: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    for text, value in items:
        combo.addItem(text, value)
    return combo
