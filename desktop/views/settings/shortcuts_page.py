"""The page of the settings where the keys of commands are changed. Shows a ShortcutsState; decides no conflict."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop.state.shortcuts import ShortcutsState, portable

NAME = Qt.ItemDataRole.UserRole


class ShortcutsPage(QWidget):
    """A table of commands and keys; below it the key for the current command, and what stands against it."""

    def __init__(self, state: ShortcutsState) -> None:
        super().__init__()
        self._state = state
        self._before = {name: state.keys(name) for name in state.commands}
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Command", "Menu", "Keys"])
        self.table.setRootIsDecorated(False)
        self.table.setProperty("roomy", True)
        self.table.setUniformRowHeights(True)
        self.table.setAccessibleName("Keys of the commands")
        self.table.header().setStretchLastSection(False)
        self.table.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for command in state.commands.values():
            item = QTreeWidgetItem([command.text, command.menu, ""])
            item.setData(0, NAME, command.name)
            self.table.addTopLevelItem(item)
        self.key = QKeySequenceEdit()
        self.key.setMaximumSequenceLength(1)
        self.key.setClearButtonEnabled(True)
        self.key.setAccessibleName("New key")
        self.assign = self._button("Assign", "Give the command this key alone", self._assign)
        self.add = self._button("Add", "Give the command this key besides those it has", self._add)
        self.remove = self._button("Remove keys", "Leave the command without a key", self._remove)
        self.reset = self._button("Default", "Give the command its default keys", self._reset)
        self.reset_all = self._button("All defaults", "Give every command its default keys", state.reset_all)
        self.verdict = QLabel()
        self.verdict.setWordWrap(True)
        self.verdict.setProperty("notice", True)
        self.verdict.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        self.verdict.setAlignment(Qt.AlignmentFlag.AlignTop)
        line, below = QHBoxLayout(), QHBoxLayout()
        self._label = QLabel("New key")
        self._label.setBuddy(self.key)
        line.addWidget(self._label)
        line.addWidget(self.key, 1)
        line.addWidget(self.assign)
        line.addWidget(self.add)
        for button in (self.remove, self.reset, self.reset_all):
            below.addWidget(button)
        below.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 4, 12, 4)
        layout.addWidget(self.table, 1)
        layout.addLayout(line)
        layout.addWidget(self.verdict)
        layout.addLayout(below)
        self.table.currentItemChanged.connect(lambda *_: self._choose())
        self.table.itemActivated.connect(lambda *_: self.key.setFocus())
        self.key.keySequenceChanged.connect(lambda _: self._judge())
        state.changed.connect(self._show)
        self._show()
        self.table.setCurrentItem(self._items()[0])

    def search(self, typed: str) -> int:
        """Show only commands that have each typed word in their name, menu or keys; returns how many."""
        words, shown = typed.casefold().split(), 0
        for item in self._items():
            text = " ".join(item.text(column) for column in range(3)).casefold()
            matches = all(word in text for word in words) or all(word in "keyboard shortcuts keys" for word in words)
            item.setHidden(not matches)
            shown += matches
        return shown

    def undo(self) -> None:
        """Bring back the keys that were in use when the page was made."""
        for name, keys in self._before.items():
            if self._state.keys(name) != keys:
                self._state.assign(name, keys)

    def choose(self, name: str) -> None:
        """Make a command current."""
        self.table.setCurrentItem(next(item for item in self._items() if item.data(0, NAME) == name))

    @property
    def current(self) -> str:
        """Name of the current command; "" for none."""
        item = self.table.currentItem()
        return str(item.data(0, NAME)) if item else ""

    def _items(self) -> list[QTreeWidgetItem]:
        found = (self.table.topLevelItem(row) for row in range(self.table.topLevelItemCount()))
        return [item for item in found if item is not None]

    def _button(self, text: str, tip: str, work: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.setToolTip(tip)
        button.clicked.connect(lambda: work())  # type: ignore[operator]
        return button

    def _typed(self) -> str:
        return self.key.keySequence().toString(QKeySequence.SequenceFormat.PortableText)

    def _choose(self) -> None:
        self.key.clear()
        self._judge()

    def _judge(self) -> None:
        """Say what stands against the typed key before anything is stored."""
        name, typed = self.current, self._typed()
        reason = self._state.why_not(name, typed) if name and typed else ""
        holder = self._state.holder(name, typed) if name and typed and not reason else None
        if holder is not None:
            reason = f"{typed} is the key of “{holder.text}” (menu {holder.menu}), which then has it no longer."
        self.verdict.setText(reason)
        usable = bool(name and typed) and (not reason or holder is not None)
        self.assign.setEnabled(usable)
        self.add.setEnabled(usable and portable(typed) not in self._state.keys(name))
        self.assign.setText("Take over" if holder is not None else "Assign")
        self.remove.setEnabled(bool(name and self._state.keys(name)))
        self.reset.setEnabled(bool(name) and self._state.is_own(name))
        self.reset_all.setEnabled(any(map(self._state.is_own, self._state.commands)))

    def _assign(self) -> None:
        self._state.assign(self.current, [self._typed()])
        self.key.clear()

    def _add(self) -> None:
        self._state.assign(self.current, [*self._state.keys(self.current), self._typed()])
        self.key.clear()

    def _remove(self) -> None:
        self._state.assign(self.current, [])

    def _reset(self) -> None:
        self._state.reset(self.current)

    def _show(self) -> None:
        for item in self._items():
            name = str(item.data(0, NAME))
            item.setText(2, self._state.shown(name, every=True))
            font = item.font(2)
            font.setBold(self._state.is_own(name))
            item.setFont(2, font)
        self._judge()
