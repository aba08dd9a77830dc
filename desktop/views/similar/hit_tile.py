"""Paints a hit as a tile: its picture, or the first words of a report alone, over strength and facts. Ranks nothing."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem
from typing_extensions import override

from desktop import theme
from desktop.state.similar.search import SearchState
from desktop.views import drawing
from desktop.views.drawing import ModelIndex
from desktop.views.similar.hit_parts import BAR, OUTDATED, paint_bar, short_facts, strength_of
from engine.retrieval.hit import Hit

LEAST = 124
"""Width in logical pixels from which a tile is wide enough; as many as fit stand beside each other."""
PAD = 4
SHAPE = 0.85
"""Height of the picture over its width."""


class TileDelegate(QStyledItemDelegate):
    """Tiles of one size, which fill the width of their list."""

    def __init__(self, state: SearchState, parent: QListView) -> None:
        super().__init__(parent)
        self._state, self._list = state, parent

    @override
    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        bar = self._list.verticalScrollBar().sizeHint().width()  # always, so that it changes nothing when it appears
        width = self._list.width() - 2 * self._list.frameWidth() - bar - 1
        tile = width // max(1, width // LEAST)
        lines = 2 * QFontMetricsF(drawing.small(option.font)).lineSpacing()
        return QSize(tile, int((tile - 2 * PAD) * SHAPE + lines + 3 * PAD))

    @override
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        state, row = self._state, index.row()
        hit, lesser = state.hits[row], drawing.small(option.font)
        line = QFontMetricsF(lesser).lineSpacing()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        drawing.background(painter, option)
        if state.outdated:
            painter.setOpacity(OUTDATED)
        area = QRectF(option.rect).adjusted(PAD, PAD, -PAD, -PAD)
        below = QRectF(area.left(), area.bottom() - 2 * line, area.width(), line)
        picture = QRectF(area.left(), area.top(), area.width(), below.top() - area.top() - PAD)
        if hit.image_id is None:
            self._paint_words(painter, picture, hit, lesser)
        else:
            drawing.thumbnail(painter, picture, state.thumbnail(hit))
        self._paint_badges(painter, picture, hit, lesser)
        self._paint_strength(painter, below, row, lesser)
        painter.setPen(QColor(theme.current.muted))
        facts = QFontMetricsF(lesser).elidedText(short_facts(hit), Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(below.translated(0, line), Qt.AlignmentFlag.AlignVCenter, facts)
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF, hit: Hit, font: QFont) -> None:
        """The first words of a report, where others have their picture."""
        painter.fillRect(area, QColor(theme.current.raised))
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text if hit.text else theme.current.muted))
        line = QFontMetricsF(font).lineSpacing()
        top = area.top() + QFontMetricsF(font).height() + 3 + 2 * PAD  # below the badge
        most = max(1, int((area.bottom() - PAD - top) / line))
        text = " ".join((hit.text or "No report").split())
        for words in drawing.wrapped(text, font, area.width() - 2 * PAD, most):
            painter.drawText(QRectF(area.left() + PAD, top, area.width(), line), Qt.AlignmentFlag.AlignVCenter, words)
            top += line

    def _paint_badges(self, painter: QPainter, picture: QRectF, hit: Hit, font: QFont) -> None:
        """In the corner of the picture: what matched, whose it is, and what the user said of it."""
        color = theme.current.accent if hit.kind == "image" else theme.current.green
        badges = [(hit.kind.capitalize(), color)]
        badges += [("Prior", theme.current.amber)] if hit.prior else []
        badges += [("Relevant", theme.current.amber)] if hit.case_id in self._state.feedback.liked else []
        left = picture.left() + PAD
        for text, edge in badges:
            left = drawing.badge(painter, left, picture.top() + PAD, text, edge, font, theme.current.panel) + PAD

    def _paint_strength(self, painter: QPainter, area: QRectF, row: int, font: QFont) -> None:
        strength = strength_of(self._state, row)
        painter.setFont(font)
        painter.setPen(QColor(theme.current.text))
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, strength.word)
        paint_bar(painter, QRectF(area.right() - BAR, area.center().y() - 2.5, BAR, 5), strength)
