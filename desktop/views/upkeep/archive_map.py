"""Paints images and reports of the archive in the plane in which they vary most. Shows a ModelState."""

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.upkeep.model import ModelState
from desktop.views import drawing

DOT = 2.5
"""Radius of a dot, in logical pixels."""
EMPTY = "No picture: the archive needs 20 cases with an image and a report that these models have indexed."


class ArchiveMap(QWidget):
    """A circle for each image and a square for its report, joined by a line; the short lines are what is wanted."""

    def __init__(self, state: ModelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setMinimumSize(160, 140)
        self.setAccessibleName("Images and reports of the archive in the shared space")
        state.changed.connect(self.update)

    @override
    def sizeHint(self) -> QSize:
        return QSize(360, 360)

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(drawing.small(self.font()))
            painter.setPen(QColor(theme.current.muted))
            space = self._state.space
            if space is None:
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(QRectF(self.rect()), flags, EMPTY)
                return
            line = QFontMetricsF(painter.font()).lineSpacing()
            explained = f"{space.shares[0]:.0%} and {space.shares[1]:.0%} of the variance"
            key = QRectF(0, self.height() - line, self.width(), line)
            painter.drawText(key, Qt.AlignmentFlag.AlignCenter, f"● image   ■ its report   {explained}")
            side = min(self.width(), self.height() - 1.5 * line) - 4 * DOT
            middle = QPointF(self.width() / 2, (self.height() - 1.5 * line) / 2)
            images, reports = (
                [middle + QPointF(x, y) * (side / 2) for x, y in some.tolist()]
                for some in (space.images, space.reports)
            )
            painter.setPen(QPen(QColor(theme.current.border), 0.7))
            painter.drawLines([QLineF(image, report) for image, report in zip(images, reports, strict=True)])
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.current.accent))
            for point in images:
                painter.drawEllipse(point, DOT, DOT)
            painter.setBrush(QColor(theme.current.green))
            for point in reports:
                painter.drawRect(QRectF(point.x() - DOT, point.y() - DOT, 2 * DOT, 2 * DOT))
