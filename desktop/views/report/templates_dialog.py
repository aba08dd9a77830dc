"""Shows the templates of reports, and edits the user's own in their plain notation. Keeps nothing itself."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.state.report.writing import WritingState
from desktop.views.sizes import fit_pixels
from engine.facts.fact import MODALITIES, REGIONS
from engine.reports.templates.notation import notation_of, parts_of
from engine.reports.templates.template import Template

NOTATION = (
    "[Name] asks before signing while it is empty, [Name!] has to be filled, [Name?] may stay empty, [Name #] is a "
    "number, [Side: left|right] a choice, [Name=text] begins with a text."
)

ROLE = Qt.ItemDataRole.UserRole


class TemplatesDialog(QDialog):
    """The list on the left; name, modality, region and text of the selected one on the right."""

    def __init__(
        self, state: WritingState, modality: str = "", region: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._new = state, Template("New template", (), modality, region, own=True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Report templates")
        fit_pixels(self, 820, 560)
        self.list = QListWidget()
        self.list.setAccessibleName("Templates")
        self.name = QLineEdit()
        self.modality, self.region = QComboBox(), QComboBox()
        self.modality.addItems(["Any modality", *MODALITIES])
        self.region.addItems(["Any region", *REGIONS])
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Text of the template")
        self.problem = QLabel()
        self.problem.setProperty("notice", True)
        self.problem.setWordWrap(True)
        self.add, self.save, self.delete, self.load = (_button(text) for text in ("New", "Save", "Delete", "Import…"))
        self.load.setToolTip("Add an MRRT template (HTML), such as those of RadReport")
        self._lay_out()
        for button, work in (
            (self.add, self.begin),
            (self.save, self.keep),
            (self.delete, self.remove),
            (self.load, self.choose_file),
        ):
            button.clicked.connect(work)
        self.list.currentItemChanged.connect(self._show)
        state.changed.connect(self._fill)
        self._fill()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Modality", self.modality)
        form.addRow("Region", self.region)
        note = QLabel(NOTATION)
        note.setWordWrap(True)
        note.setProperty("muted", True)
        left, right, edits = QVBoxLayout(), QVBoxLayout(), QHBoxLayout()
        left.addWidget(self.list, 1)
        for button in (self.add, self.load):
            edits.addWidget(button)
        left.addLayout(edits)
        right.addLayout(form)
        right.addWidget(self.text, 1)
        right.addWidget(note)
        right.addWidget(self.problem)
        below = QHBoxLayout()
        below.addStretch()
        for button in (self.delete, self.save):
            below.addWidget(button)
        right.addLayout(below)
        parts = QHBoxLayout()
        parts.addLayout(left, 1)
        parts.addLayout(right, 2)
        close = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(parts, 1)
        layout.addWidget(close)

    def begin(self) -> None:
        """Begin a new template."""
        self.list.clearSelection()
        self.list.setCurrentRow(-1)
        self._show_template(self._new)
        self.name.setFocus()
        self.name.selectAll()

    def keep(self) -> None:
        """Save the template on the right as an own one."""
        name, text = self.name.text().strip(), self.text.toPlainText().rstrip()
        if not any(map(str.isalnum, name)) or not text:
            self.problem.setText("A template needs a name and a text.")
            return
        self.problem.clear()
        modality = self.modality.currentText() if self.modality.currentIndex() else ""
        region = self.region.currentText() if self.region.currentIndex() else ""
        self._state.save(Template(name, parts_of(text), modality, region, own=True))

    def remove(self) -> None:
        """Delete the own template that is selected."""
        template = self._selected()
        if template is not None and template.own:
            self._state.delete(template.name)

    def choose_file(self) -> None:
        """Choose an MRRT file and add it."""
        name, _ = QFileDialog.getOpenFileName(self, "Import report template", filter="MRRT template (*.html *.htm)")
        if name:
            self._state.import_file(Path(name))

    def _selected(self) -> Template | None:
        item = self.list.currentItem()
        template: Template | None = item.data(ROLE) if item is not None else None
        return template

    def _fill(self) -> None:
        name = self.name.text()
        self.list.clear()
        for template in self._state.templates:
            item = QListWidgetItem(f"{template.name} (own)" if template.own else template.name)
            item.setData(ROLE, template)
            self.list.addItem(item)
            if template.name == name:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)

    def _show(self) -> None:
        template = self._selected()
        if template is not None:
            self._show_template(template)
        self.delete.setEnabled(template is not None and template.own)

    def _show_template(self, template: Template) -> None:
        self.name.setText(template.name)
        self.modality.setCurrentText(template.modality or "Any modality")
        self.region.setCurrentText(template.region or "Any region")
        self.text.setPlainText(notation_of(template.parts))
        self.save.setText("Save" if template.own else "Save as own template")


def _button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    return button
