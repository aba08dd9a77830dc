"""The list of PACS, to add, edit, try out and remove them. Shows a PacsAddressesState."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.state.pacs.addresses import PacsAddressesState
from desktop.views.pacs.address_form import AddressForm
from desktop.views.sizes import fit_pixels
from engine.pacs.address import Pacs

ABOUT = (
    "Kindred asks these PACS for studies when you tell it to, and never by itself. It sends the Patient ID of the open "
    "study and the UIDs of what it retrieves, and no images or reports."
)
HEADINGS = ("Name", "Retrieves by", "Address")


class PacsAddressesDialog(QDialog):
    """One row a PACS, with its buttons below."""

    def __init__(self, state: PacsAddressesState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.form: AddressForm | None = None
        self.question: QMessageBox | None = None
        self.setWindowTitle("PACS settings")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fit_pixels(self, 680, 360)
        about = QLabel(ABOUT)
        about.setProperty("muted", True)
        about.setWordWrap(True)
        self.list = QTreeWidget()
        self.list.setAccessibleName("PACS")
        self.list.setHeaderLabels(list(HEADINGS))
        self.list.setRootIsDecorated(False)
        self.list.setStyleSheet("QTreeWidget::item { padding: 4px 0; }")
        self.list.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.list.currentItemChanged.connect(lambda: self._show_buttons())
        self.list.itemDoubleClicked.connect(self._edit)
        self.add = self._button("Add…", self._add)
        self.edit = self._button("Edit…", self._edit)
        self.test = self._button("Test connection", self._test)
        self.remove = self._button("Remove…", self._ask)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setMinimumHeight(2 * self.fontMetrics().lineSpacing())  # so that nothing moves
        self.line.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.kept = QLabel()
        self.delete = self._button("Delete retrieved studies…", self._ask_to_delete)
        below = QHBoxLayout()
        below.addWidget(self.kept, 1)
        below.addWidget(self.delete)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        edits = QHBoxLayout()
        for button in (self.add, self.edit, self.test, self.remove):
            edits.addWidget(button)
        edits.addStretch()
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addWidget(about)
        layout.addWidget(self.list, 1)
        layout.addLayout(edits)
        layout.addWidget(self.line)
        layout.addLayout(below)
        layout.addWidget(buttons)
        self._shown: tuple[Pacs, ...] | None = None
        state.changed.connect(self._show)
        state.refresh()
        self._show()

    @override
    def done(self, result: int) -> None:
        """Stop waiting for an answer."""
        self._state.changed.disconnect(self._show)
        self._state.stop_trying()
        super().done(result)

    @property
    def chosen(self) -> Pacs | None:
        """The PACS of the selected row."""
        names = [item.text(0) for item in self.list.selectedItems()]
        return self._state.named(names[0]) if names else None

    def _button(self, text: str, work: object) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(work)
        return button

    def _show(self) -> None:
        known = self._state.known
        if known != self._shown:
            name = self.chosen.name if self.chosen else ""
            self._shown = known
            self.list.clear()
            for one in known:
                item = QTreeWidgetItem(self.list, [one.name, one.way, one.where])
                if one.name == name or self.list.currentItem() is None:
                    self.list.setCurrentItem(item)
        self.line.setText(self._state.line or ("" if known else "No PACS was added yet."))
        self.kept.setText(self._state.kept_line)
        self.delete.setVisible(self._state.can_delete)
        self._show_buttons()

    def _show_buttons(self) -> None:
        for button in (self.edit, self.test, self.remove):
            button.setEnabled(self.chosen is not None)

    def _add(self) -> None:
        self._open(None)

    def _edit(self) -> None:
        if self.chosen is not None:
            self._open(self.chosen)

    def _open(self, pacs: Pacs | None) -> None:
        self.form = AddressForm(self._state, pacs, self)
        self.form.open()

    def _test(self) -> None:
        if self.chosen is not None:
            self._state.try_out(self.chosen.name)

    def _ask(self) -> None:
        if self.chosen is None:
            return
        name = self.chosen.name
        text = f"Remove the PACS {name} and its password? Retrieved studies stay."
        self._question("Remove PACS", text, partial(self._state.remove, name))

    def _ask_to_delete(self) -> None:
        text = f"{self._state.kept_line} Delete them from this computer? Those that are open stay, and so do reports."
        self._question("Delete retrieved studies", text, self._state.delete_retrieved)

    def _question(self, title: str, text: str, confirm: Callable[[], object]) -> None:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        self.question = QMessageBox(QMessageBox.Icon.Question, title, text, yes | no, self)
        self.question.setDefaultButton(no)
        self.question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.question.button(yes).clicked.connect(lambda: confirm())
        self.question.open()
