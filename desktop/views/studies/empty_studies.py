"""The study browser while no study is open: a hint, and recently opened studies. Opens nothing itself."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.desk import Desk
from desktop.state.redaction import NAME_HIDDEN

MOST = 6
"""Recent studies listed; File > Open recent lists all."""


class EmptyStudies(QWidget):
    """A hint and a button for each recent study."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.hint = hint = QLabel()
        hint.setWordWrap(True)
        hint.setProperty("muted", True)
        self._title = QLabel("Recent")
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
        for changed in (desk.settings.changed, desk.shortcuts.changed):
            changed.connect(self._show)
        desk.layout.active_proxy.redaction_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        drop = "No study is open.\n\nDrop files, folders or a ZIP file here, or open them ({open_files})."
        self.hint.setText(self._desk.shortcuts.fill(drop))
        self._paths = [Path(path) for path in self._desk.settings.now.recent[:MOST]]
        visible = self._desk.viewport.patient_data_visible  # folder names often contain patient names
        for number, (button, path) in enumerate(zip(self.recent, self._paths, strict=False), 1):
            text = path.name if visible else f"Item {number}, {NAME_HIDDEN}"
            button.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, 220))
            button.setToolTip(str(path) if visible else "")
        for number, button in enumerate(self.recent):
            button.setVisible(number < len(self._paths))
        self._title.setVisible(bool(self._paths))

    def _button(self, number: int) -> QPushButton:
        button = QPushButton()
        button.setProperty("link", True)
        button.clicked.connect(partial(self._open, number))
        return button

    def _open(self, number: int) -> None:
        self._desk.open([self._paths[number]])
