"""What a hit shows as a row and as a tile: facts, strength with its bar, badges. Knows no item view."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from desktop import theme
from desktop.state.similar.search import SearchState
from desktop.views import drawing
from engine.retrieval.hit import Hit
from engine.retrieval.strength import Strength

BAR = 40
"""Width of the bar of strength."""
OUTDATED = 0.4
"""Opacity of hits that do not answer what the panel asks now."""
UNKNOWN = Strength(0.0, "")


def hit_facts(hit: Hit) -> str:
    """Modality, sex and age as far as known, and the case number."""
    return " · ".join([*_known(hit), f"case {hit.case_id}"])


def short_facts(hit: Hit) -> str:
    """The same with the case number first, which a tile has room for in any case."""
    return " · ".join([f"Case {hit.case_id}", *_known(hit)])


def _known(hit: Hit) -> list[str]:
    return [part for part in (hit.modality, hit.sex, f"{hit.age} y" if hit.age is not None else "") if part]


def strength_of(state: SearchState, row: int) -> Strength:
    """The strength of a hit by its row."""
    return state.strengths[row] if row < len(state.strengths) else UNKNOWN


def paint_bar(painter: QPainter, area: QRectF, strength: Strength) -> None:
    """A bar that is filled as far as the hit is strong."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(theme.current.handle))
    painter.drawRoundedRect(area, 2.5, 2.5)
    painter.setBrush(QColor(theme.current.accent))
    painter.drawRoundedRect(QRectF(area.left(), area.top(), area.width() * strength.fill, area.height()), 2.5, 2.5)


def paint_badges(painter: QPainter, left: float, center: float, state: SearchState, hit: Hit, font: QFont) -> float:
    """The kind of the match, and what the user said of it; returns where the next thing may begin."""
    height = QFontMetricsF(font).height() + 3
    color = theme.current.accent if hit.kind == "image" else theme.current.green
    right = drawing.badge(painter, left, center - height / 2, hit.kind.capitalize(), color, font)
    if hit.case_id in state.feedback.liked:
        right = drawing.badge(painter, right + 4, center - height / 2, "Relevant", theme.current.amber, font)
    return right + 6
