"""Shows the text of a structured report or presentation state, or offers to open a PDF. Shows an OpenedDocument."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop import theme
from desktop.desk import Desk
from desktop.outside import open_file
from desktop.state.studies.browser import BrowserRow, row_text
from desktop.state.viewer.documents import OpenedDocument
from desktop.views.sizes import fit_pixels

HIDDEN = "Patient data is hidden. Show it (View menu) to read this document."


class DocumentWindow(QDialog):
    """A window that stays open beside the images; its text is hidden with the patient data."""

    def __init__(self, desk: Desk, opened: OpenedDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._opened = desk, opened
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fit_pixels(self, 640, 560 if not opened.pdf else 200)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Text of the document")
        self.open_button = QPushButton("Open in PDF viewer")
        self.save_button = QPushButton("Save PDF…")
        buttons = QHBoxLayout()
        buttons.addStretch()
        for button in (self.open_button, self.save_button):
            button.setVisible(bool(opened.pdf))
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.GAP)
        layout.addWidget(self.text, 1)
        layout.addLayout(buttons)
        self.open_button.clicked.connect(self._open_pdf)
        self.save_button.clicked.connect(self._save_pdf)
        desk.layout.active_proxy.redaction_changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        visible = self._desk.viewport.patient_data_visible
        title, about = row_text(BrowserRow(self._opened.document.study, document=self._opened.document), visible)
        self.setWindowTitle(", ".join(part for part in (title, about) if part))
        self.text.setPlainText(self._opened.text if visible else HIDDEN)
        for button in (self.open_button, self.save_button):
            button.setEnabled(visible)

    def _open_pdf(self) -> None:
        open_file(self._desk.documents.pdf_file(self._opened))

    def _save_pdf(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save PDF", "document.pdf", "PDF document (*.pdf)")
        if name:
            self._desk.documents.save_pdf(self._opened, Path(name))
