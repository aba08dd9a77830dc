"""The Model screen: what the models are, what was measured of them, and teaching them. Shows a ModelState."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QBrush, QColor, QTextTable
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)
from typing_extensions import override

from desktop import theme
from desktop.desk import Desk
from desktop.views.sizes import fit_pixels
from desktop.views.upkeep.archive_map import ArchiveMap
from desktop.views.upkeep.table import TextTable
from desktop.views.upkeep.teach_page import TeachPage

SIZE = QSize(1000, 660)
HEADINGS = ("Figure", "These models (95% interval)", "Baseline", "Chance", "This archive")


class ModelWindow(QDialog):
    """Not modal. Card, figures and the plan of teaching are read only while it is open."""

    def __init__(self, desk: Desk, choose: Callable[[], object], parent: QWidget | None = None) -> None:
        """`choose` asks for the folder of other models and changes to them."""
        super().__init__(parent)
        self._desk, self._state = desk, desk.upkeep.model
        self.setWindowTitle("Model")
        fit_pixels(self, SIZE.width(), SIZE.height())
        self.facts = QGridLayout()
        self.facts.setHorizontalSpacing(2 * theme.GAP)
        self.facts.setColumnStretch(1, 1)
        self.choose = QPushButton("Load other models…")
        self.choose.clicked.connect(choose)
        self.back = QPushButton("Back to the models before")
        self.back.clicked.connect(self._state.back)
        self.starter = QPushButton("Starter models")
        self.starter.clicked.connect(lambda: self._state.use(self._state.starter))
        self.reindex = QPushButton("Re-index archive")
        self.reindex.clicked.connect(self._reindex)
        self.card = QTextBrowser()
        self.card.setAccessibleName("Model card")
        self.card.setOpenLinks(False)
        self.measured_on = QLabel()
        self.measured_on.setProperty("muted", True)
        self.measured_on.setWordWrap(True)
        self.table = TextTable(HEADINGS, "Figures")
        self.map = ArchiveMap(self._state)
        self.teach = TeachPage(desk)
        self.pages = QTabWidget()
        self.pages.setAccessibleName("Pages of the models")
        self.pages.setDocumentMode(True)
        self.pages.tabBar().setDrawBase(False)
        self.pages.addTab(self._model_page(), "Model")
        self.pages.addTab(self._figures_page(), "Figures")
        self.pages.addTab(self.teach, "Teach")
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages)
        self._shown_card: tuple[str, str] | None = None
        self._state.changed.connect(self._show)
        desk.upkeep.model.show()
        desk.upkeep.teaching.show()
        self._show()

    def _model_page(self) -> QWidget:
        page = QWidget()
        buttons = QHBoxLayout()
        for button in (self.choose, self.back, self.starter, self.reindex):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = QVBoxLayout(page)
        layout.setSpacing(2 * theme.GAP)
        layout.addLayout(self.facts)
        layout.addLayout(buttons)
        layout.addWidget(self.card, 1)
        return page

    def _figures_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setSpacing(2 * theme.GAP)
        layout.addWidget(self.measured_on)
        layout.addWidget(self.table, 2)
        layout.addWidget(self.map, 3)
        return page

    def _show(self) -> None:
        state = self._state
        while (item := self.facts.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for row, (name, value) in enumerate(state.facts):
            label, text = QLabel(name), QLabel(value)
            label.setProperty("muted", True)
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self.facts.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            self.facts.addWidget(text, row, 1)
        self.back.setVisible(state.before is not None)
        self.back.setToolTip(str(state.before or ""))
        self.starter.setEnabled(state.folder != state.starter)
        self.choose.setToolTip(str(state.folder or ""))
        self.reindex.setVisible(not self._desk.reindex.why_not())
        if (state.card, theme.current.name) != self._shown_card:  # it would scroll back to its top
            self._shown_card = (state.card, theme.current.name)
            self.card.setMarkdown(state.card or "These models have no card.")
            self._color_tables()
        self.measured_on.setText(state.measured_on)
        rows = [(one.label, one.models, one.baseline, one.chance, one.archive) for one in state.figures]
        self.table.show_rows(rows)

    def _color_tables(self) -> None:
        """Draw the tables of the card in the color of borders: Qt's default is the color of the text."""
        for frame in self.card.document().rootFrame().childFrames():
            if isinstance(frame, QTextTable):
                drawn = frame.format().toTableFormat()
                drawn.setBorderBrush(QBrush(QColor(theme.current.border)))
                drawn.setCellPadding(3)
                frame.setFormat(drawn)

    def _reindex(self) -> None:
        try:
            self._desk.reindex.start()
        except Exception as error:
            self._desk.show_problem(error)

    @override
    def done(self, result: int) -> None:
        self._state.hide()
        self._desk.upkeep.teaching.hide()
        super().done(result)
