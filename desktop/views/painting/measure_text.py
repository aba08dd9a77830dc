"""Writes what measurements read beside their figures. Decides nothing but where the words stand."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF

from desktop import theme
from desktop.state.measure.measurements import MeasurementsState
from desktop.views.painting.canvas import Canvas, Painter
from desktop.views.painting.measure_painter import RIM, RIM_WIDTH
from desktop.views.painting.overlay_text import MARGIN, Line, write
from engine.measure.measurements import Measurement
from engine.measure.readings import SEPARATOR, lines_or_no_value

GAP = 10.0
"""Logical pixels from a figure to its numbers."""


def measure_text_painter(measurements: MeasurementsState) -> Painter:
    """The numbers of all measurements of the frame on screen, while corner texts are shown."""

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.texts:
            return
        rims = QPainterPathStroker(QPen(RIM, RIM_WIDTH)).createStroke(canvas.figures)
        for item in measurements.on(canvas.state):
            reading = measurements.reading(item, picture.ref, picture.pixels)
            if reading is not None:
                _paint_words(painter, canvas, item, lines_or_no_value(reading), rims)

    return paint


def _paint_words(
    painter: QPainter, canvas: Canvas, item: Measurement, words: Sequence[str], figures: QPainterPath
) -> None:
    """Right of the figure, moved where it would leave the viewport or cover other words or figures."""
    metrics = QFontMetricsF(painter.font())
    height, viewport = metrics.lineSpacing(), (canvas.view.width, canvas.view.height)
    words = fitted(words, viewport[0] - MARGIN, metrics)
    size = max(metrics.horizontalAdvance(line) for line in words), height * len(words)
    figure = QPolygonF([canvas.to_screen(point) for point in item.points]).boundingRect()
    area = words_area(figure, size, viewport, canvas.taken, figures)
    canvas.taken.append(area)
    for row, line in enumerate(words):
        place = QRectF(area.left(), area.top() + row * height, area.width(), height)
        write(painter, Line(place, line, theme.ON_IMAGE))


def words_area(
    figure: QRectF,
    size: tuple[float, float],
    viewport: tuple[float, float],
    taken: Sequence[QRectF],
    figures: QPainterPath,
) -> QRectF:
    """Where numbers stand: right of a figure, left of it, below or above it, clear of what is taken and of all figures.

    Else they would be read as those of the figure they lie on. Where there is no such place, right or left of it, below
    what is taken, else above. Inside the viewport from their first letter on, even where all is taken.
    """
    (width, height), (across, down) = size, viewport
    beside = _within(figure.center().y() - height / 2, height, down)
    below = sorted(other.bottom() + 2 for other in taken if other.bottom() + 2 > beside)
    above = sorted((other.top() - 2 - height for other in taken if other.top() - 2 - height < beside), reverse=True)
    lefts = [figure.right() + GAP, figure.left() - GAP - width]
    if lefts[0] + width > across:
        lefts.reverse()
    lefts = [_within(left, width, across) for left in lefts]
    places = [(left, top) for left in lefts for top in (beside, *below, *above)]
    for wanted, drawn in ((_near(figure, size, beside, lefts), figures), (places, QPainterPath())):
        for left, top in wanted:
            area = QRectF(_within(left, width, across), top, width, height)
            over = any(area.intersects(other) for other in taken) or drawn.intersects(area)
            if top == _within(top, height, down) and not over:
                return area
    return QRectF(lefts[0], beside, width, height)


def _near(
    figure: QRectF, size: tuple[float, float], beside: float, lefts: Sequence[float]
) -> list[tuple[float, float]]:
    """Left and top of places at a figure: beside it, then below and above it, in its middle and at its ends."""
    width, height = size
    along = (figure.center().x() - width / 2, figure.left(), figure.right() - width)
    tops = (figure.bottom() + GAP, figure.top() - GAP - height)
    return [(left, beside) for left in lefts] + [(left, top) for top in tops for left in along]


def _within(start: float, size: float, room: float) -> float:
    return max(2.0, min(room - size - 2, start))


def fitted(words: Sequence[str], width: float, metrics: QFontMetricsF) -> list[str]:
    """The lines, those that are too wide with a line for each of their numbers."""
    found: list[str] = []
    for line in words:
        found += [line] if metrics.horizontalAdvance(line) <= width else line.split(SEPARATOR)
    return found
