"""The facts of the query as chips; a click corrects or removes one. Shows a SearchState; decides nothing."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from desktop.state.similar.search import SearchState
from engine.facts.fact import KINDS, VALUES, Fact, FactKind

SAID_BY = {"header": "from the header", "words": "from the text", "user": "set by you"}


class FactChips(QWidget):
    """One button a fact, and one for each kind that was removed; hidden without any."""

    def __init__(self, state: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.chips: dict[FactKind, QToolButton] = {kind: self._chip(kind) for kind in KINDS}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        for chip in self.chips.values():
            row.addWidget(chip)
        row.addStretch(1)
        state.changed.connect(self._show)
        self._show()

    def _chip(self, kind: FactKind) -> QToolButton:
        chip = QToolButton()
        chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        chip.setProperty("chip", True)
        menu = QMenu(chip)
        menu.aboutToShow.connect(partial(self._fill, menu, kind))
        chip.setMenu(menu)
        return chip

    def _fill(self, menu: QMenu, kind: FactKind) -> None:
        menu.clear()
        known = self._state.facts.get(kind)
        for value in VALUES[kind]:
            action = menu.addAction(_label(kind, value))
            action.setCheckable(True)
            action.setChecked(known is not None and known.value == value)
            action.triggered.connect(partial(self._correct, kind, value))
        menu.addSeparator()
        if known is not None:
            menu.addAction("Remove").triggered.connect(partial(self._correct, kind, ""))
        if kind in self._state.corrections:
            menu.addAction("As found").triggered.connect(partial(self._correct, kind, None))

    def _correct(self, kind: FactKind, value: str | None, _: bool = False) -> None:
        self._state.correct(kind, value)

    def _show(self) -> None:
        for kind, chip in self.chips.items():
            fact = self._state.facts.get(kind)
            removed = self._state.corrections.get(kind) == ""
            chip.setVisible(fact is not None or removed)
            chip.setText(f"Any {kind}" if fact is None else _label(kind, fact.value) + fact.text[len(fact.value) :])
            chip.setToolTip(_explained(kind, fact))
            chip.setAccessibleName(f"{kind.capitalize()} of the query")
        self.setVisible(bool(self._state.answered) and any(not chip.isHidden() for chip in self.chips.values()))


def _label(kind: FactKind, value: str) -> str:
    if kind == "modality":
        return value
    return f"{value.capitalize()} contrast" if kind == "contrast" else value.capitalize()


def _explained(kind: FactKind, fact: Fact | None) -> str:
    if fact is None:
        return f"The {kind} does not count in the ranking. Click to set it."
    by = SAID_BY.get(fact.source, f"estimated by the models, {fact.probability:.0%}")
    return f"{kind.capitalize()}: {fact.value} ({by}). Cases that agree rank higher. Click to correct or remove it."
