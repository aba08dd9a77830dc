"""What the list of studies shows while none is open: how to open one, and what was opened before."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.desk import Desk
from desktop.state.redaction import NAME_HIDDEN

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
        self.recent = [self._button(number) for number in range(MOST)]
        self._paths: list[Path] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 14, 12, 12)
        layout.setSpacing(4)
        layout.addWidget(hint)
        layout.addSpacing(12)
        layout.addWidget(self._title)
        for button in self.recent:
            layout.addWidget(button)
        layout.addStretch(1)
        desk.settings.changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self._paths = [Path(path) for path in self._desk.settings.now.recent[:MOST]]
        named = self._desk.viewport.patient_data_visible  # folders are often called after patients
        for number, (button, path) in enumerate(zip(self.recent, self._paths, strict=False), 1):
            words = path.name if named else f"Item {number}, {NAME_HIDDEN}"
            button.setText(self.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 220))
            button.setToolTip(str(path) if named else "")
        for number, button in enumerate(self.recent):
            button.setVisible(number < len(self._paths))
        self._title.setVisible(bool(self._paths))
        if self._paths:
            self.setFocusProxy(self.recent[0])

    def _button(self, number: int) -> QPushButton:
        button = QPushButton()
        button.setProperty("link", True)
        button.clicked.connect(partial(self._open, number))
        return button

    def _open(self, number: int) -> None:
        self._desk.open([self._paths[number]])
