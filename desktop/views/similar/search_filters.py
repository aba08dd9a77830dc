"""The filters of a search and how its words are matched, as two rows of fields. Shows a SearchState."""

from dataclasses import replace

from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QPushButton, QWidget

from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState

MODES = (("By meaning", "vector"), ("Exact words", "lexical"), ("Both", "hybrid"))
KINDS = (("All kinds", ""), ("Images", "image"), ("Reports", "report"))
SEXES = (("Any sex", ""), ("Female", "F"), ("Male", "M"), ("Other", "O"))


class SearchFilters(QWidget):
    """Modality, kind, matching, sex and age, and a button that clears them."""

    def __init__(self, state: SearchState, archive: ArchiveState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state, self._archive = state, archive
        self.modality = _combo("Modality", [("All modalities", "")])
        self.modality.setMinimumContentsLength(9)  # its longest text is cut otherwise
        self.kind = _combo("Kind of match", KINDS)
        self.mode = _combo("Text matching", MODES)
        self.sex = _combo("Sex", SEXES)
        self.age = QLineEdit()
        self.age.setPlaceholderText("Age: 40-60")
        self.age.setAcceptDrops(False)  # the window opens dropped files
        self.age.setClearButtonEnabled(True)
        self.age.setAccessibleName("Age range in years")
        self.age.setToolTip("Age in years: 40-60, 65+, -17 or 50. Cases of unknown age are excluded.")
        self.clear = QPushButton("Clear filters")
        self.clear.setProperty("flat", True)
        self.clear.setToolTip("Remove the filters for modality, kind, sex and age")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for number, widget in enumerate((self.modality, self.kind, self.mode, self.sex, self.age, self.clear)):
            layout.addWidget(widget, number // 3, number % 3)
        for column in range(3):
            layout.setColumnStretch(column, 1)
        for combo in self._combos():
            combo.currentIndexChanged.connect(self._fill_in)
        self.age.textChanged.connect(self._fill_in)
        self.age.returnPressed.connect(lambda: state.search())
        self.clear.clicked.connect(state.clear_filters)
        state.changed.connect(self._show)
        archive.changed.connect(self._list_modalities)
        self._show()

    def _combos(self) -> tuple[QComboBox, ...]:
        return (self.modality, self.kind, self.mode, self.sex)

    def _fill_in(self) -> None:
        form = replace(
            self._state.form,
            modality=self.modality.currentData() or "",
            kind=self.kind.currentData() or None,
            mode=self.mode.currentData() or "vector",
            sex=self.sex.currentData() or "",
            age=self.age.text(),
        )
        self._state.set_form(form)

    def _show(self) -> None:
        form = self._state.form
        values = (form.modality, form.kind or "", form.mode, form.sex)
        for combo, value in zip(self._combos(), values, strict=True):
            combo.blockSignals(True)
            combo.setCurrentIndex(max(0, combo.findData(value)))
            combo.blockSignals(False)
        if self.age.text() != form.age:
            self.age.blockSignals(True)
            self.age.setText(form.age)
            self.age.blockSignals(False)
        self.clear.setEnabled(form.filtered)

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
            self.modality.setCurrentIndex(max(0, self.modality.findData(self._state.form.modality)))
            self.modality.blockSignals(False)
            self._fill_in()  # a modality missing from this archive is removed from the form


def _combo(name: str, items: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(7)
    for text, value in items:
        combo.addItem(text, value)
    return combo
