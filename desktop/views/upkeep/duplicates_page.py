"""The page "Near-duplicates" of the Archive screen: groups of cases, and merging them. Shows a DuplicatesState."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from desktop import theme
from desktop.state.upkeep.duplicates import DuplicatesState

ABOUT = (
    "Near-duplicates have the same pixels, the same image at another size, window or compression, or reports with the "
    "same words. Cases of different patients, or with different reports, are not merged."
)


class DuplicatesPage(QWidget):
    """The groups as a tree; those with a check mark are merged after a question."""

    def __init__(self, state: DuplicatesState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        about = QLabel(ABOUT)
        about.setProperty("muted", True)
        about.setWordWrap(True)
        self.look = QPushButton("Find near-duplicates")
        self.look.clicked.connect(state.find)
        self.merge = QPushButton("Merge checked…")
        self.merge.clicked.connect(self._ask)
        self.line = QLabel()
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setStyleSheet("QTreeWidget::item { padding: 3px 0; }")
        self.tree.setAccessibleName("Groups of near-duplicates")
        self.tree.itemChanged.connect(self._show_buttons)
        self.question: QMessageBox | None = None
        buttons = QHBoxLayout()
        buttons.addWidget(self.look)
        buttons.addWidget(self.merge)
        buttons.addWidget(self.line, 1)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addWidget(about)
        layout.addLayout(buttons)
        layout.addWidget(self.tree, 1)
        layout.addStretch()
        self._shown: object = None
        state.changed.connect(self._show)
        self._show()

    @property
    def checked(self) -> list[int]:
        """The numbers of the groups with a check mark."""
        items = (self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount()))
        return [number for number, item in enumerate(items) if item and item.checkState(0) == Qt.CheckState.Checked]

    def _show(self) -> None:
        groups = self._state.groups
        if groups != self._shown:
            self._shown = groups
            self.tree.clear()
            for title, cases, possible in groups:
                item = QTreeWidgetItem(self.tree, [title])
                if possible:
                    item.setCheckState(0, Qt.CheckState.Unchecked)
                else:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsUserCheckable)
                for case in cases:
                    QTreeWidgetItem(item, [case])
                item.setExpanded(True)
        self.tree.setVisible(bool(groups))
        self.line.setText("Looking…" if self._state.running else self._state.line)
        self._show_buttons()

    def _show_buttons(self) -> None:
        why = self._state.why_not()
        self.look.setEnabled(not why)
        self.look.setToolTip(why)
        self.merge.setEnabled(not why and bool(self.checked))

    def _ask(self) -> None:
        numbers = self.checked
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        text = self._state.question(numbers)
        self.question = QMessageBox(QMessageBox.Icon.Warning, "Merge near-duplicates", text, yes | no, self)
        self.question.setDefaultButton(no)
        self.question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.question.button(yes).clicked.connect(lambda: self._state.merge(numbers))
        self.question.open()
