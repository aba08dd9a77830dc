"""The page "Contents" of the Archive screen: sizes and charts. Shows a StatisticsState."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop import theme
from desktop.state.upkeep.statistics import StatisticsState
from desktop.views.upkeep.bars import BarChart

EMPTY = "The archive is empty.\n\nImport a folder on the page Import."
NONE = "No archive is open.\n\nOpen or create one in the Archive menu."


class ContentsPage(QWidget):
    """One line of sizes above two columns of charts."""

    def __init__(self, state: StatisticsState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.sizes = QLabel()
        self.sizes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.empty = QLabel()
        self.empty.setProperty("muted", True)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.area = QScrollArea()
        self.area.setAccessibleName("Contents of the archive")
        self.area.setWidgetResizable(True)
        self.charts: list[BarChart] = []
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * theme.GAP)
        layout.addWidget(self.sizes)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.area, 1)
        state.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        charts, found = self._state.charts, self._state.found
        self.sizes.setText(self._state.sizes)
        self.empty.setText(self._state.problem or (EMPTY if found is not None else NONE))
        self.empty.setVisible(not charts)
        self.area.setVisible(bool(charts))
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, theme.GAP, 0)
        columns.setSpacing(4 * theme.GAP)
        sides = (QVBoxLayout(), QVBoxLayout())
        self.charts = [BarChart(chart) for chart in charts]
        lengths = [0, 0]
        for chart, widget in zip(charts, self.charts, strict=True):  # into the shorter column
            side = lengths.index(min(lengths))
            lengths[side] += len(chart.bars) + 2
            sides[side].addWidget(widget)
        for column in sides:
            column.setSpacing(2 * theme.GAP)
            column.addStretch(1)
            columns.addLayout(column, 1)
        self.area.setWidget(content)
