"""Paints a chart of horizontal bars with their names and numbers. Shows what it is given."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.upkeep.statistics import Chart
from desktop.views import drawing

THICK = 0.62
"""Of a line, the height of a bar."""
LINE = 1.45
"""Height of a row, in lines of text."""


class BarChart(QWidget):
    """A title, and below it a row for each bar."""

    def __init__(self, chart: Chart, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chart = chart
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(chart.title)
        self.setAccessibleDescription(", ".join(f"{bar.label} {bar.text}" for bar in chart.bars))

    @property
    def _row(self) -> float:
        return LINE * QFontMetricsF(self.font()).lineSpacing()

    @override
    def sizeHint(self) -> QSize:
        return QSize(340, round(self._row * (len(self._chart.bars) + 1.2)))

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            bold = painter.font()
            bold.setBold(True)
            painter.setFont(bold)
            painter.setPen(QColor(theme.current.text))
            title = QRectF(0, 0, self.width(), self._row)
            painter.drawText(title, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._chart.title)
            painter.setFont(drawing.small(self.font()))
            self._paint_rows(painter)

    def _paint_rows(self, painter: QPainter) -> None:
        metrics, row = QFontMetricsF(painter.font()), self._row
        bars = self._chart.bars
        names = max((metrics.horizontalAdvance(bar.label) for bar in bars), default=0.0) + 2 * theme.GAP
        numbers = max((metrics.horizontalAdvance(bar.text) for bar in bars), default=0.0) + theme.GAP
        room = max(1.0, self.width() - names - numbers - theme.GAP)
        most = max((bar.value for bar in bars), default=0) or 1
        for number, bar in enumerate(bars):
            top = (number + 1.1) * row
            length, height = max(2.0, room * bar.value / most), row * THICK
            painter.setPen(QColor(theme.current.muted))
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, names - theme.GAP, row), Qt.AlignmentFlag.AlignRight | middle, bar.label)
            area = QRectF(names, top + (row - height) / 2, length, height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.current.primary if bar.part is None else theme.current.selected))
            painter.drawRoundedRect(area, 2, 2)
            if bar.part is not None:
                area.setWidth(length * bar.part / max(1, bar.value))
                painter.setBrush(QColor(theme.current.primary))
                painter.drawRoundedRect(area, 2, 2)
            painter.setPen(QColor(theme.current.text))
            beside = QRectF(names + length + theme.GAP, top, numbers, row)
            painter.drawText(beside, Qt.AlignmentFlag.AlignLeft | middle, bar.text)
