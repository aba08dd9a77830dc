"""The search field and the order of the study browser. Shows a StudyListState; decides nothing."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.studies.study_list import ORDERS, StudyListState


class StudySearch(QWidget):
    """Typing filters the list below, Down and Return show the first found and move there, Esc lists all again."""

    def __init__(self, state: StudyListState, below: QWidget, parent: QWidget | None = None) -> None:
        """`below` is the list, which gets the keyboard from the text field."""
        super().__init__(parent)
        self._state, self._below = state, below
        self.text = QLineEdit()
        self.text.setAcceptDrops(False)  # the window opens dropped files
        self.text.setPlaceholderText("Search studies")
        self.text.setClearButtonEnabled(True)
        self.text.setAccessibleName("Search open studies")
        self.text.setToolTip("Name, ID, accession number, description, modality or date")
        self.text.textChanged.connect(state.search)
        self.text.installEventFilter(self)
        self.order = QToolButton()
        self.order.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.order.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.order.setProperty("bare", True)
        self.order.setMenu(QMenu(self.order))
        self.orders = {key: self._order(key, text) for key, text in ORDERS.items()}
        self.found = QLabel()
        self.found.setProperty("muted", True)
        first = QHBoxLayout()
        first.setSpacing(4)
        first.addWidget(self.text, 1)
        first.addWidget(self.order)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 4)
        layout.setSpacing(4)
        layout.addLayout(first)
        layout.addWidget(self.found)
        state.changed.connect(self._show)
        self._show()

    def focus_text(self) -> None:
        """Move the keyboard to the text field and select its content."""
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.text.selectAll()

    def _order(self, key: str, text: str) -> QAction:
        action = self.order.menu().addAction(text)
        action.setCheckable(True)
        action.triggered.connect(lambda: self._state.sort(key))
        return action

    @override
    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon in the colors of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.order.setIcon(theme.icon("sort"))

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move between the field and the list, and clear the field."""
        if watched is self.text and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._state.step(0)
                self._below.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.text.clear()
                self._below.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return True
        return super().eventFilter(watched, event)

    def _show(self) -> None:
        for key, action in self.orders.items():
            action.setChecked(key == self._state.order)
        sorted_by = f"Sort studies (now by: {ORDERS[self._state.order].lower()})"
        self.order.setIcon(theme.icon("sort"))
        self.order.setToolTip(sorted_by)
        self.order.setAccessibleName(sorted_by)
        listed, every = self._state.counts()
        self.found.setVisible(self._state.searching)
        none = "No open study matches."
        self.found.setText(none if not self._state.rows else f"{listed} of {every} studies")
