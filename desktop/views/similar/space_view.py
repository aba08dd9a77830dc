"""Paints the shared space around the query: rings of strength, a dot for each case. Shows a SpaceState."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.similar.space import SpaceState
from desktop.views import drawing
from engine.retrieval.space import RINGS, Dot, radius

DOT, OTHER = 5.0, 2.5
"""Radius of the dot of a hit and of another case, in logical pixels."""
REACH = 10.0
"""How far from a dot a click still means it."""


class SpaceView(QWidget):
    """The query in the middle, images as circles and reports as squares. A click selects, a double click compares.

    The arrow keys go through the hits by rank, Enter compares.
    """

    def __init__(self, state: SpaceState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumHeight(140)
        self.setAccessibleName("Map of the shared space around the query")
        state.changed.connect(self.update)

    @override
    def sizeHint(self) -> QSize:
        return QSize(360, 360)

    def _disk(self) -> QRectF:
        line = QFontMetricsF(drawing.small(self.font())).lineSpacing()
        side = min(self.width(), self.height() - line) - 12.0
        return QRectF((self.width() - side) / 2, (self.height() - line - side) / 2, side, side)

    def point(self, dot: Dot) -> QPointF:
        """Where a dot is painted."""
        disk = self._disk()
        return disk.center() + QPointF(dot.x, dot.y) * (disk.width() / 2)

    def dot_at(self, point: QPointF) -> Dot | None:
        """The dot under a point, hits first; None for none near enough."""
        near = [(self.point(dot) - point, dot) for dot in self._state.dots]
        near = [(away, dot) for away, dot in near if QPointF.dotProduct(away, away) <= REACH**2]
        return min(near, key=lambda one: (not one[1].hit, QPointF.dotProduct(one[0], one[0])))[1] if near else None

    @override
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(drawing.small(self.font()))
            if self._state.why_empty:
                painter.setPen(QColor(theme.current.muted))
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(QRectF(self.rect()), flags, self._state.why_empty)
                return
            self._paint_rings(painter)
            for dot in sorted(self._state.dots, key=lambda one: (one.hit, one.case_id == self._state.selected)):
                self._paint_dot(painter, dot)
            self._paint_key(painter)
            if self.hasFocus():
                painter.setPen(QColor(theme.current.accent))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -1, -1))

    def _paint_rings(self, painter: QPainter) -> None:
        disk, metrics = self._disk(), QFontMetricsF(painter.font())
        middle = disk.center()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for length, word in (*((radius(score), word) for score, word in RINGS), (1.0, "Weak, unlike")):
            reach = length * disk.width() / 2
            painter.setPen(QPen(QColor(theme.current.border), 1))
            painter.drawEllipse(middle, reach, reach)
            painter.setPen(QColor(theme.current.muted))
            place = QRectF(middle.x() - disk.width() / 2, middle.y() - reach, disk.width(), metrics.lineSpacing() + 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word)
        painter.setPen(QPen(QColor(theme.current.text), 2))
        for across in (QPointF(5, 0), QPointF(0, 5)):
            painter.drawLine(middle - across, middle + across)

    def _paint_dot(self, painter: QPainter, dot: Dot) -> None:
        point, size = self.point(dot), DOT if dot.hit else OTHER
        color = QColor(theme.current.accent if dot.kind == "image" else theme.current.green)
        if not dot.hit:
            color = QColor(theme.current.disabled)
        selected = dot.case_id == self._state.selected
        painter.setPen(QPen(QColor(theme.current.text), 2) if selected else Qt.PenStyle.NoPen)
        painter.setBrush(color)
        size = size + 2 if selected else size
        if dot.kind == "image":
            painter.drawEllipse(point, size, size)
        else:
            painter.drawRect(QRectF(point.x() - size, point.y() - size, 2 * size, 2 * size))

    def _paint_key(self, painter: QPainter) -> None:
        """What the marks mean, below the disk."""
        metrics = QFontMetricsF(painter.font())
        line = QRectF(0, self.height() - metrics.lineSpacing(), self.width(), metrics.lineSpacing())
        painter.setPen(QColor(theme.current.muted))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, "+ query   ● image   ■ report   small: other cases")

    # -- choosing

    @override
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            dot = self.dot_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._state.describe(dot) if dot else "", self)
            return True
        return super().event(event)

    @override
    def mousePressEvent(self, event: QMouseEvent) -> None:
        dot = self.dot_at(event.position())
        if dot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._state.choose(dot)

    @override
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        dot = self.dot_at(event.position())
        if dot is not None and event.button() == Qt.MouseButton.LeftButton:
            self._state.open(dot)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1}.get(key)
        hits = [dot for dot in self._state.dots if dot.hit]
        here = next((n for n, dot in enumerate(hits) if dot.case_id == self._state.selected), 0)
        if step is not None and hits:
            self._state.choose(hits[min(max(0, here + step), len(hits) - 1)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and hits:
            self._state.open(hits[here])
        else:
            super().keyPressEvent(event)
