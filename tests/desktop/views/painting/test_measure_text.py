"""The numbers beside a measurement stand where they can be read and hide neither a side nor other numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPolygonF
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from desktop.views.painting import measure_text
from desktop.views.painting.canvas import Canvas, Painter, canvas_of
from desktop.views.painting.measure_text import GAP, text_rect, wrapped_lines
from desktop.views.painting.overlay_text import MARGIN, corner_lines, edge_lines
from desktop.views.viewer import viewport
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle

VIEWPORT = (400.0, 300.0)
SIZE = (80.0, 40.0)
NOTHING = QPainterPath()


@pytest.mark.parametrize(
    "figure",
    [QRectF(100, 100, 50, 20), QRectF(380, 140, 10, 10), QRectF(300, 140, 30, 20), QRectF(190, 280, 10, 15)],
)
def test_numbers_hide_neither_sides_nor_corner_texts(qtbot: QtBot, app: App, figure: QRectF) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.viewport.resize(*VIEWPORT, 1.0)
    notes, metrics = annotate(app.desk.viewport), QFontMetricsF(app.window.font())
    area = QRectF(0, 0, *VIEWPORT).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    written = [*corner_lines(area, notes, metrics), *edge_lines(area, notes, metrics)]
    taken = [line.rect for line in written]
    assert len(taken) > 10
    found = text_rect(figure, SIZE, VIEWPORT, taken, NOTHING)
    assert not any(found.intersects(place) for place in taken)
    assert QRectF(0, 0, *VIEWPORT).contains(found)


def test_numbers_keep_clear_of_what_the_window_writes(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word of a crowded 3 x 3 grid is written where no other stands."""
    seen: list[list[QRectF]] = []
    paint = viewport.paint_picture

    def note(painter: QPainter, canvas: Canvas, painters: Sequence[Painter] = ()) -> None:
        paint(painter, canvas, painters)
        seen.append(canvas.occupied)

    monkeypatch.setattr(viewport, "paint_picture", note)
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    picture = app.desk.viewport.picture
    assert picture is not None
    uid = picture.ref.image.sop_uid
    app.desk.measurements.add(Measurement("angle", ((20, 20), (60, 20), (60, 60)), uid))
    app.actions.actions["grid_3x3"].trigger()
    settle(qtbot, app)
    app.window.viewport.grab()
    places = [place.adjusted(0, 1, 0, -1) for place in seen[-1]]
    assert len(places) > 10
    clashes = [(a, b) for number, a in enumerate(places) for b in places[number + 1 :] if a.intersects(b)]
    assert clashes == []


def test_numbers_too_wide_for_the_viewport_are_written_below_each_other_from_their_first_digit(app: App) -> None:
    metrics = QFontMetricsF(app.window.font())
    lines = ["4.12 cm²", "mean 306.1 HU   SD 12.3", "min -98   max 1,204   n 5,112"]
    assert wrapped_lines(lines, 1000, metrics) == lines
    narrow = metrics.horizontalAdvance(lines[1]) - 1
    assert wrapped_lines(lines, narrow, metrics) == [
        *("4.12 cm²", "mean 306.1 HU", "SD 12.3", "min -98", "max 1,204", "n 5,112"),
    ]
    area = text_rect(QRectF(10, 10, 100, 50), (200.0, 40.0), (120.0, 100.0), [], NOTHING)
    assert area.left() == 2


def test_numbers_of_figures_at_one_place_stand_around_it_and_then_under_each_other() -> None:
    figure, taken = QRectF(100, 100, 50, 20), list[QRectF]()
    for _ in range(6):
        area = text_rect(figure, SIZE, VIEWPORT, taken, NOTHING)
        assert not any(area.intersects(other) for other in taken)
        taken.append(area)
    assert [(area.left(), area.top()) for area in taken] == [
        *((160, 90), (10, 90), (85, 130), (85, 50)),
        *((160, 172), (160, 214)),
    ]


def test_numbers_at_the_lower_edge_go_up_rather_than_out() -> None:
    figure, taken = QRectF(100, 280, 50, 10), list[QRectF]()
    for _ in range(4):
        taken.append(text_rect(figure, SIZE, VIEWPORT, taken, NOTHING))
    assert max(area.bottom() for area in taken[2:]) <= min(area.top() for area in taken[:2])
    assert all(QRectF(0, 0, *VIEWPORT).contains(area) for area in taken)


def lines_of(*lines: Sequence[tuple[float, float]]) -> QPainterPath:
    path = QPainterPath()
    for line in lines:
        path.addPolygon(QPolygonF([QPointF(*point) for point in line]))
    return path


def test_numbers_keep_clear_of_other_figures() -> None:
    """A long line to the right of the figure, and within a region there."""
    figure = QRectF(100, 100, 50, 20)
    for other in (
        lines_of([(160, 20), (300, 200)]),
        lines_of([(155, 60), (300, 60), (300, 150), (155, 150), (155, 60)]),
    ):
        area = text_rect(figure, SIZE, VIEWPORT, [], other)
        assert not other.intersects(area)
        assert QRectF(0, 0, *VIEWPORT).contains(area)
    assert text_rect(figure, SIZE, VIEWPORT, [], NOTHING).center().y() == figure.center().y()


@pytest.mark.parametrize("figure", [QRectF(20, 100, 60, 60), QRectF(120, 110, 60, 60)])
def test_numbers_of_a_figure_beside_another_are_not_read_as_those_of_the_other(figure: QRectF) -> None:
    """The one has no room to its left and the other none to its right, where they lie across each other."""
    both = QPainterPath()
    both.addRect(QRectF(20, 100, 60, 60))
    both.addRect(QRectF(120, 110, 60, 60))
    area = text_rect(figure, SIZE, (200.0, 300.0), [], both)
    assert not both.intersects(area)
    assert abs(area.center().x() - figure.center().x()) < figure.width()
    assert min(abs(area.top() - figure.bottom()), abs(figure.top() - area.bottom())) == GAP


def test_among_figures_everywhere_numbers_still_keep_clear_of_words() -> None:
    figure, taken = QRectF(100, 100, 50, 20), [QRectF(160, 90, 80, 40)]
    rows = lines_of(*([(0, y), (400, y)] for y in range(0, 300, 10)))
    area = text_rect(figure, SIZE, VIEWPORT, taken, rows)
    assert not area.intersects(taken[0])
    assert QRectF(0, 0, *VIEWPORT).contains(area)


@pytest.mark.parametrize(
    ("other", "covered"),
    [
        (Measurement("cobb", ((50, 20), (90, 20), (50, 110), (90, 110)), ""), lines_of([(70, 20), (70, 110)])),
        (Measurement("probe", ((68, 64),), ""), lines_of([(67.5, 64), (68.5, 64)])),
    ],
    ids=["the axis of a Cobb angle", "a probe"],
)
def test_numbers_keep_clear_of_all_that_is_painted_of_another(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, other: Measurement, covered: QPainterPath
) -> None:
    """Each of the two lies where the numbers of the length would stand without it."""
    written: list[QRectF] = []
    paint_words = measure_text.text_rect

    def note(*given: Any) -> QRectF:
        written.append(paint_words(*given))
        return written[-1]

    open_paths(qtbot, app, dicom("CT_small.dcm"))
    canvas = canvas_of(app.desk.viewport)
    assert canvas is not None
    uid = canvas.state.picture.ref.image.sop_uid  # type: ignore[union-attr]
    app.desk.measurements.add(Measurement("length", ((40, 64), (64, 64)), uid))
    monkeypatch.setattr(measure_text, "text_rect", note)
    app.window.viewport.grab()
    on_screen = canvas.transform.map(covered)
    assert on_screen.intersects(written[-1])
    app.desk.measurements.add(replace(other, sop_uid=uid))
    written.clear()
    app.window.viewport.grab()
    assert not on_screen.intersects(written[0])


@pytest.mark.parametrize(
    "item",
    [Measurement("probe", ((-5, -5),), ""), Measurement("angle", ((20, 20), (20, 20), (60, 20)), "")],
    ids=["a probe beside the image", "an angle with an arm of no length"],
)
def test_what_has_no_value_says_so(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, item: Measurement) -> None:
    said: list[str] = []
    monkeypatch.setattr(measure_text, "draw_text", lambda painter, line: said.append(line.text))
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert app.desk.viewport.picture is not None
    app.desk.measurements.add(replace(item, sop_uid=app.desk.viewport.picture.ref.image.sop_uid))
    app.window.viewport.grab()
    assert set(said) == {"no value"}
