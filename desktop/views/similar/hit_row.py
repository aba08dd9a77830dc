"""Paints a hit as a slim row: thumbnail, kind, facts, strength and text. Ranks nothing."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem, QWidget
from typing_extensions import override

from desktop import theme
from desktop.state.similar.search import SearchState
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.similar.hit_parts import BAR, OUTDATED, hit_facts, paint_badges, paint_bar, strength_of
from engine.retrieval.hit import Hit
from engine.retrieval.strength import Strength

THUMBNAIL = 36
PAD = 2
"""Above and below the content of a row."""


class RowDelegate(QStyledItemDelegate):
    """Paints a hit: thumbnail, facts, strength and one line of text; a case without images is a single slim line."""

    def __init__(self, state: SearchState, parent: QWidget) -> None:
        super().__init__(parent)
        self._state = state

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        line, hit = QFontMetricsF(option.font).lineSpacing(), self._state.hits[index.row()]
        content = line + 4 if hit.image_id is None else max(THUMBNAIL, 2 * line + 4)
        return QSize(200, int(content + 2 * PAD + self._caption_height(option, index.row())))

    def _caption_height(self, option: QStyleOptionViewItem, row: int) -> float:
        return QFontMetricsF(drawing.small(option.font)).lineSpacing() + 6 if self._state.caption(row) else 0.0

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        state, row = self._state, index.row()
        hit, strength = state.hits[row], strength_of(state, row)
        lesser = drawing.small(option.font)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole, above = QRectF(option.rect), self._caption_height(option, row)
        if above:
            painter.setFont(lesser)
            painter.setPen(QColor(theme.current.muted))
            painter.drawText(
                QRectF(whole.left() + 8, whole.top(), whole.width(), above),
                Qt.AlignmentFlag.AlignVCenter,
                state.caption(row),
            )
        below = QStyleOptionViewItem(option)
        below.rect = whole.adjusted(0, above, 0, 0).toRect()
        drawing.background(painter, below)
        if state.outdated:
            painter.setOpacity(OUTDATED)
        area = whole.adjusted(6, above + PAD, -8, -PAD)
        if hit.image_id is None:
            self._paint_line(painter, area, hit, strength, option.font)
        else:
            square = QRectF(area.left(), area.center().y() - THUMBNAIL / 2, THUMBNAIL, THUMBNAIL)
            drawing.thumbnail(painter, square, state.thumbnail(hit))
            area.setLeft(square.right() + 8)
            self._paint_lines(painter, area, hit, strength, option.font)
        painter.restore()

    def _paint_line(self, painter: QPainter, area: QRectF, hit: Hit, strength: Strength, font: QFont) -> None:
        """A report alone: badge, case number, text and strength on one line."""
        lesser, case = drawing.small(font), f"case {hit.case_id}"
        right = self._paint_strength(painter, area, strength, lesser)
        left = paint_badges(painter, area.left(), area.center().y(), self._state, hit, lesser)
        painter.setFont(lesser)
        painter.setPen(QColor(theme.current.muted))
        painter.drawText(QRectF(left, area.top(), right - left, area.height()), Qt.AlignmentFlag.AlignVCenter, case)
        left += QFontMetricsF(lesser).horizontalAdvance(case) + 8
        self._paint_text(painter, QRectF(left, area.top(), right - left - 8, area.height()), hit, font)

    def _paint_lines(self, painter: QPainter, area: QRectF, hit: Hit, strength: Strength, font: QFont) -> None:
        lesser = drawing.small(font)
        metrics = QFontMetricsF(lesser)
        head = QRectF(area.left(), area.top(), area.width(), area.height() / 2)
        right = self._paint_strength(painter, head, strength, lesser)
        left = paint_badges(painter, head.left(), head.center().y(), self._state, hit, lesser)
        painter.setFont(lesser)
        painter.setPen(QColor(theme.current.muted))
        facts = metrics.elidedText(hit_facts(hit), Qt.TextElideMode.ElideRight, right - left - 8)
        painter.drawText(QRectF(left, head.top(), right - left, head.height()), Qt.AlignmentFlag.AlignVCenter, facts)
        self._paint_text(painter, QRectF(area.left(), head.bottom(), area.width(), head.height()), hit, font)

    def _paint_strength(self, painter: QPainter, area: QRectF, strength: Strength, font: QFont) -> float:
        """A bar at the right with a word beside it; returns the left edge of both."""
        bar = QRectF(area.right() - BAR, area.center().y() - 2.5, BAR, 5)
        paint_bar(painter, bar, strength)
        metrics = QFontMetricsF(font)
        width = metrics.horizontalAdvance("Moderate")
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text))
        word = QRectF(bar.left() - 6 - width, area.top(), width, area.height())
        painter.drawText(word, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, strength.word)
        return word.left()

    def _paint_text(self, painter: QPainter, area: QRectF, hit: Hit, font: QFont) -> None:
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text if hit.text else theme.current.muted))
        text = " ".join((hit.text or "No report").split())
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
