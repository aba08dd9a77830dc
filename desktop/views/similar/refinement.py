"""How the query was refined: the share of image and text, and what feedback did. Shows a SearchState."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from desktop.state.similar.search import SearchState

STEPS = 20
"""Steps of the slider from image to text."""


class Refinement(QWidget):
    """A slider while image and text are both asked, and a line about feedback while there is any; else hidden."""

    def __init__(self, state: SearchState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.share = QSlider(Qt.Orientation.Horizontal)
        self.share.setRange(0, STEPS)
        self.share.setPageStep(STEPS // 4)
        self.share.setAccessibleName("Share of the text in the query")
        self.share.setToolTip("How much the text counts beside the image")
        self.moved = QLabel()
        self.moved.setWordWrap(True)
        self.clear = QPushButton("Clear")
        self.clear.setProperty("flat", True)
        self.clear.setToolTip("Search without relevance feedback")
        self.shares, self.line = QWidget(), QWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for row, parts in (
            (self.shares, (QLabel("Image"), self.share, QLabel("Text"))),
            (self.line, (self.moved, self.clear)),
        ):
            inner = QHBoxLayout(row)
            inner.setContentsMargins(0, 0, 0, 0)
            for part in parts:
                inner.addWidget(part, 1 if part in (self.share, self.moved) else 0)
            layout.addWidget(row)
        self.share.valueChanged.connect(self._fill_in)
        self.clear.clicked.connect(state.clear_feedback)
        state.changed.connect(self._show)
        self._show()

    def _fill_in(self, value: int) -> None:
        self._state.set_form(replace(self._state.form, text_share=value / STEPS))

    def _show(self) -> None:
        state = self._state
        self.share.blockSignals(True)
        self.share.setValue(round(state.form.text_share * STEPS))
        self.share.blockSignals(False)
        self.shares.setVisible(state.composed)
        self.moved.setText(state.feedback_text)
        self.line.setVisible(bool(state.feedback_text))
        self.setVisible(state.composed or bool(state.feedback_text))
