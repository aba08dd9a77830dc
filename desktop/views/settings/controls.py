"""The widgets of the rows of a settings page. Each shows a row and passes on what the user chooses."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from desktop.desk import Desk
from desktop.mnemonics import plain
from desktop.views.settings.rows import Choice, Number, Row, Switch, Value


class Control(QWidget):
    """One row: its label, what changes it, and a hint below. `undo` brings back what was set when it was made."""

    def __init__(self, row: Row, desk: Desk, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self._desk = desk
        self._undo: Callable[[], object] | None = None
        self.show_now: Callable[[], None] = lambda: None
        """Reads the setting again."""
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.setSpacing(2)
        layout.addLayout(self._line)
        self.label = ""
        if isinstance(row, Switch):
            self._add_switch(actions[row.command])
        elif isinstance(row, Choice):
            self._add_choice(row)
        elif isinstance(row, Number):
            self._add_number(row)
        else:
            self._add_value(row, actions)
        if row.hint:
            hint = QLabel(row.hint)
            hint.setWordWrap(True)
            hint.setProperty("muted", True)
            hint.setContentsMargins(22 if isinstance(row, Switch) else 0, 0, 0, 0)
            layout.addWidget(hint)
        self._found_by = f"{self.label} {row.hint} {row.words}".casefold()
        self.show_now()

    def matches(self, typed: str) -> bool:
        """Whether the row has each typed word."""
        return all(word in self._found_by for word in typed.casefold().split())

    def undo(self) -> None:
        """Bring back what was set before the first change here."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def _changing(self, undo: Callable[[], object]) -> None:
        self._undo = self._undo or undo

    def _named(self, text: str, widget: QWidget) -> None:
        self.label = text
        label = QLabel(text)
        label.setBuddy(widget)
        widget.setAccessibleName(text)
        self._line.addWidget(label, 1)
        self._line.addWidget(widget)

    def _add_switch(self, action: QAction) -> None:
        self.label = plain(action.text())
        box = QCheckBox(self.label)
        self._line.addWidget(box, 1)

        def switch(wanted: bool) -> None:
            if action.isEnabled() and action.isChecked() != wanted:
                action.trigger()

        def choose(wanted: bool) -> None:
            before = not wanted
            self._changing(lambda: switch(before))
            switch(wanted)

        def show_now() -> None:
            with QSignalBlocker(box):
                box.setChecked(action.isChecked())
            box.setEnabled(action.isEnabled())

        box.toggled.connect(choose)
        _Follower(self, action.changed, show_now)
        self.show_now = show_now

    def _add_choice(self, row: Choice) -> None:
        box = QComboBox()
        for value, text in row.options:
            box.addItem(text, value)
        values = [value for value, _ in row.options]

        def choose(number: int) -> None:
            before = row.read(self._desk)
            self._changing(lambda: row.write(self._desk, before))
            row.write(self._desk, values[number])

        def show_now() -> None:
            now = row.read(self._desk)
            box.setCurrentIndex(values.index(now) if now in values else -1)

        box.activated.connect(choose)
        self._named(row.label, box)
        self.show_now = show_now

    def _add_number(self, row: Number) -> None:
        box = QSpinBox()
        box.setRange(*row.limits)
        box.setSingleStep(row.step)
        box.setSuffix(row.unit)
        box.setKeyboardTracking(False)

        def choose(value: int) -> None:
            before = row.read(self._desk)
            self._changing(lambda: row.write(self._desk, before))
            row.write(self._desk, value)

        def show_now() -> None:
            with QSignalBlocker(box):
                box.setValue(row.read(self._desk))

        box.valueChanged.connect(choose)
        self._named(row.label, box)
        self.show_now = show_now

    def _add_value(self, row: Value, actions: Mapping[str, QAction]) -> None:
        self.label = row.label
        value = QLabel()
        value.setWordWrap(True)
        value.setProperty("muted", True)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(QLabel(row.label))
        words.addWidget(value)
        self._line.addLayout(words, 1)
        restore = row.restore(self._desk) if row.restore else None
        buttons: list[tuple[QPushButton, QAction]] = []

        def begin() -> None:
            if restore is not None:
                self._changing(restore)

        for name in row.commands:
            action = actions[name]
            button = QPushButton(plain(action.text()))
            button.clicked.connect(begin)
            button.clicked.connect(action.trigger)
            buttons.append((button, action))
            self._line.addWidget(button)
        if row.forget is not None:
            forget = row.forget
            button = QPushButton(row.forget_text)
            button.setAccessibleName(f"{row.forget_text}: {row.label}")
            button.clicked.connect(begin)
            button.clicked.connect(lambda: forget(self._desk))
            self._line.addWidget(button)

        def show_now() -> None:
            value.setText(row.read(self._desk))
            for button, action in buttons:
                button.setEnabled(action.isEnabled())

        self.show_now = show_now


class _Follower(QObject):
    """Calls a function on a signal for as long as its parent exists."""

    called = Signal()

    def __init__(self, parent: QObject, signal: object, function: Callable[[], None]) -> None:
        super().__init__(parent)
        self._function = function
        signal.connect(self._call)  # type: ignore[attr-defined]

    def _call(self) -> None:
        self._function()
