"""The numbers of a measurement are readable and hide neither figures nor other text."""

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
def test_numbers_hide_neither_lines_nor_overlay_text(qtbot: QtBot, app: App, figure: QRectF) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.viewport.resize(*VIEWPORT, 1.0)
    notes, metrics = annotate(app.desk.viewport), QFontMetricsF(app.window.font())
    area = QRectF(0, 0, *VIEWPORT).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    written = [*corner_lines(area, notes, metrics), *edge_lines(area, notes, metrics)]
    taken = [line.rect for line in written]
    assert len(taken) > 10
    found = text_rect(figure, SIZE, VIEWPORT, taken, NOTHING)
    assert not any(found.intersects(rect) for rect in taken)
    assert QRectF(0, 0, *VIEWPORT).contains(found)


def test_numbers_keep_clear_of_all_other_text_in_the_window(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a crowded 3 x 3 grid no text overlaps another."""
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
    rects = [rect.adjusted(0, 1, 0, -1) for rect in seen[-1]]
    assert len(rects) > 10
    clashes = [(a, b) for number, a in enumerate(rects) for b in rects[number + 1 :] if a.intersects(b)]
    assert clashes == []


def test_numbers_too_wide_for_the_viewport_are_wrapped_and_begin_inside_it(app: App) -> None:
    metrics = QFontMetricsF(app.window.font())
    lines = ["4.12 cm²", "mean 306.1 HU   SD 12.3", "min -98   max 1,204   n 5,112"]
    assert wrapped_lines(lines, 1000, metrics) == lines
    narrow = metrics.horizontalAdvance(lines[1]) - 1
    assert wrapped_lines(lines, narrow, metrics) == [
        *("4.12 cm²", "mean 306.1 HU", "SD 12.3", "min -98", "max 1,204", "n 5,112"),
    ]
    area = text_rect(QRectF(10, 10, 100, 50), (200.0, 40.0), (120.0, 100.0), [], NOTHING)
    assert area.left() == 2


def test_numbers_of_coinciding_figures_surround_them_and_are_then_stacked() -> None:
    figure, taken = QRectF(100, 100, 50, 20), list[QRectF]()
    for _ in range(6):
        area = text_rect(figure, SIZE, VIEWPORT, taken, NOTHING)
        assert not any(area.intersects(other) for other in taken)
        taken.append(area)
    assert [(area.left(), area.top()) for area in taken] == [
        *((160, 90), (10, 90), (85, 130), (85, 50)),
        *((160, 172), (160, 214)),
    ]


def test_numbers_at_the_lower_edge_move_up_into_the_viewport() -> None:
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
    """Also of a long line to the right, and of the inside of an ROI there."""
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
def test_numbers_between_two_figures_are_not_mistaken_for_those_of_the_other(figure: QRectF) -> None:
    """The figures cross; one has no space to its left, the other none to its right."""
    both = QPainterPath()
    both.addRect(QRectF(20, 100, 60, 60))
    both.addRect(QRectF(120, 110, 60, 60))
    area = text_rect(figure, SIZE, (200.0, 300.0), [], both)
    assert not both.intersects(area)
    assert abs(area.center().x() - figure.center().x()) < figure.width()
    assert min(abs(area.top() - figure.bottom()), abs(figure.top() - area.bottom())) == GAP


def test_with_figures_everywhere_numbers_still_keep_clear_of_text() -> None:
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
def test_numbers_keep_clear_of_everything_painted_for_another_figure(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, other: Measurement, covered: QPainterPath
) -> None:
    """Each of the two covers the spot where the numbers of the length would be without it."""
    written: list[QRectF] = []
    original = measure_text.text_rect

    def note(*given: Any) -> QRectF:
        written.append(original(*given))
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
def test_a_measurement_without_value_is_labelled_so(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch, item: Measurement
) -> None:
    painted: list[str] = []
    monkeypatch.setattr(measure_text, "draw_text", lambda painter, line: painted.append(line.text))
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert app.desk.viewport.picture is not None
    app.desk.measurements.add(replace(item, sop_uid=app.desk.viewport.picture.ref.image.sop_uid))
    app.window.viewport.grab()
    assert set(painted) == {"no value"}
