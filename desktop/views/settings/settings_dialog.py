"""The settings dialog: pages at the left, a search over all of them, the keys of the commands on a page of its own.

What is changed applies at once; OK keeps it and Cancel brings back what was set before. It is not modal, so that the
effect can be looked at. Does not know where a setting is stored.
"""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop.desk import Desk
from desktop.views.settings.controls import Control
from desktop.views.settings.rows import PAGES, SHORTCUTS, Page
from desktop.views.settings.shortcuts_page import ShortcutsPage
from desktop.views.sizes import fit


class SettingsDialog(QDialog):
    """Typing filters all pages; the arrow keys of the search field move among the pages that have a match."""

    def __init__(self, desk: Desk, actions: Mapping[str, QAction], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search settings")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Search settings")
        self.list = QListWidget()
        self.list.setAccessibleName("Pages of the settings")
        self.pages = QStackedWidget()
        self.controls: list[list[Control]] = []
        for page in PAGES:
            controls = [Control(row, desk, actions) for row in page.rows]
            self.controls.append(controls)
            self._add(page.title, _scrolled(page, controls))
        self.shortcuts = ShortcutsPage(desk.shortcuts)
        self._add(SHORTCUTS, self.shortcuts)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.none = QLabel("No setting matches.")
        self.none.setProperty("muted", True)
        self.none.hide()
        letter = self.fontMetrics().averageCharWidth()
        self.list.setFixedWidth(28 * letter)
        middle = QHBoxLayout()
        middle.addWidget(self.list)
        middle.addWidget(self.pages, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.search)
        layout.addWidget(self.none)
        layout.addLayout(middle, 1)
        layout.addWidget(self.buttons)
        self.list.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.search.textChanged.connect(self._filter)
        self.search.installEventFilter(self)
        self.list.setCurrentRow(0)
        for changed in (desk.settings.changed, desk.archive.changed, desk.layout.changed, desk.tools.changed):
            changed.connect(self._show)
        fit(self, 118, 34)

    def go_to(self, title: str) -> None:
        """Show the page of this title, if there is one, and move the keyboard to the search field."""
        self.search.clear()
        found = self.list.findItems(title, Qt.MatchFlag.MatchExactly)
        if found:
            self.list.setCurrentItem(found[0])
        self.search.setFocus()

    @override
    def reject(self) -> None:
        """Bring back what was set before."""
        for controls in self.controls:
            for control in controls:
                control.undo()
        self.shortcuts.undo()
        super().reject()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Up and Down move among the pages while the search field keeps the focus."""
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            shown = [row for row in range(self.list.count()) if not self.list.item(row).isHidden()]
            if step and shown:
                here = shown.index(self.list.currentRow()) if self.list.currentRow() in shown else 0
                self.list.setCurrentRow(shown[min(len(shown) - 1, max(0, here + step))])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._enter_page()
                return True
        return super().eventFilter(watched, event)

    def _add(self, title: str, page: QWidget) -> None:
        self.list.addItem(title)
        row = QSize(0, 2 * self.fontMetrics().lineSpacing())
        self.list.item(self.list.count() - 1).setSizeHint(row)
        self.pages.addWidget(page)

    def _enter_page(self) -> None:
        """Move the keyboard to the first control of the page; a focus proxy would keep Tab from leaving the page."""
        page = self.pages.currentWidget() or self.pages
        reached = (one for one in page.findChildren(QWidget) if one.focusPolicy() & Qt.FocusPolicy.TabFocus)
        first = next((one for one in reached if one.isVisibleTo(page) and one.isEnabled()), None)
        if first is not None:
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _show(self) -> None:
        for controls in self.controls:
            for control in controls:
                control.show_now()

    def _filter(self, typed: str) -> None:
        """Hide rows and pages without the typed words; a page whose title has them is shown whole."""
        matching = []
        for number, (page, controls) in enumerate(zip(PAGES, self.controls, strict=True)):
            whole = all(word in page.title.casefold() for word in typed.casefold().split())
            found = [control for control in controls if whole or control.matches(typed)]
            for control in controls:
                control.setVisible(control in found)
            matching += [number] if found else []
        matching += [len(PAGES)] if self.shortcuts.search(typed) else []
        for number in range(self.list.count()):
            self.list.item(number).setHidden(number not in matching)
        if matching and self.list.currentRow() not in matching:
            self.list.setCurrentRow(matching[0])
        self.none.setVisible(not matching)
        self.pages.setVisible(bool(matching))


def _scrolled(page: Page, controls: list[Control]) -> QScrollArea:
    content = QWidget()
    layout = QVBoxLayout(content)
    layout.setContentsMargins(12, 4, 12, 4)
    layout.setSpacing(6)
    for control in controls:
        layout.addWidget(control)
    if page.note:
        note = QLabel(page.note)
        note.setWordWrap(True)
        note.setProperty("muted", True)
        layout.addWidget(note)
    layout.addStretch(1)
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
