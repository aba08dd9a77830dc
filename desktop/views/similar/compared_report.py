"""The report of the archived case beside the current image, below the images. Shows a ComparisonState."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.state.similar.comparison import ComparisonState
from engine.retrieval.case_text import credit, facts, wording

LINES = 4
"""Lines of text that are seen at once; the rest is scrolled to."""


class ComparedReport(QWidget):
    """Hidden while no case is compared."""

    def __init__(self, state: ComparisonState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.about = QLabel()
        self.about.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setProperty("muted", True)
        self.about.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)  # never widens the window
        self.original = QPushButton("Open original study")
        self.original.setToolTip("Open the study that this case was archived from")
        self.close_case = QPushButton("Close")
        self.close_case.setToolTip("Stop comparing (Esc)")
        for button in (self.original, self.close_case):
            button.setProperty("flat", True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Report of the compared case")
        margins = self.text.contentsMargins().top() + self.text.contentsMargins().bottom()
        self.text.setFixedHeight(LINES * self.fontMetrics().lineSpacing() + margins + 14)
        head = QHBoxLayout()
        head.addWidget(self.about, 1)
        head.addWidget(self.original)
        head.addWidget(self.close_case)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 6)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.text)
        self.original.clicked.connect(state.open_original)
        self.close_case.clicked.connect(state.close)
        state.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        case = self._state.case
        self.setVisible(self._state.viewport is not None)
        self.original.setVisible(self._state.original is not None)
        if case is None:
            self.about.setText("")
            self.text.setPlainText("")
            return
        known = (f"Archived case {case.case_id}", facts(case), wording(case))
        self.about.setText(", ".join(part for part in known if part))
        self.about.setToolTip(credit(case) and f"Source: {credit(case)}")
        text = case.report.text if case.report else case.description or "No report."
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
