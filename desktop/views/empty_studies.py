"""What the list of studies shows while none is open: how to open one, and what was opened before."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.desk import Desk
from desktop.state.hidden_names import NAME_HIDDEN

MOST = 6


class EmptyStudies(QWidget):
    """Hint and recent studies; all others that are remembered are in "Open recent"."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        hint = QLabel("No study is open.\n\nDrop files, folders or a zip here, or press Ctrl+O.")
        hint.setWordWrap(True)
        hint.setProperty("muted", True)
        self._title = QLabel("Opened before")
        self._title.setProperty("muted", True)
        self.recent: list[QPushButton] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 14, 12, 12)
        self._layout.setSpacing(4)
        self._layout.addWidget(hint)
        self._layout.addSpacing(12)
        self._layout.addWidget(self._title)
        self._layout.addStretch(1)
        desk.settings.changed.connect(self._show)
        desk.layout.shown.identity_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        paths = [Path(path) for path in self._desk.settings.now.recent[:MOST]]
        named = self._desk.viewport.identity_visible  # folders are often called after patients
        for button in self.recent:
            self._layout.removeWidget(button)
            button.deleteLater()
        self.recent = [self._button(number, path, named) for number, path in enumerate(paths, 1)]
        self._title.setVisible(bool(paths))
        if paths:
            self.setFocusProxy(self.recent[0])

    def _button(self, number: int, path: Path, named: bool) -> QPushButton:
        words = path.name if named else f"Item {number}, {NAME_HIDDEN}"
        button = QPushButton(self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 220))
        button.setProperty("link", True)
        button.setToolTip(str(path) if named else "")
        button.clicked.connect(partial(self._desk.open, [path]))
        self._layout.insertWidget(self._layout.count() - 1, button)
        return button
