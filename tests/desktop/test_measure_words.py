"""The numbers beside a measurement stand where they can be read and hide neither a side nor other numbers."""

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetricsF
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.canvas import canvas_of
from desktop.views.measure_painter import letters, words_area
from tests.desktop.conftest import dicom, open_paths

VIEWPORT = (400.0, 300.0)
SIZE = (80.0, 40.0)


@pytest.mark.parametrize(
    "figure",
    [QRectF(100, 100, 50, 20), QRectF(380, 140, 10, 10), QRectF(300, 140, 30, 20), QRectF(190, 280, 10, 15)],
)
def test_numbers_hide_no_orientation_letter(qtbot: QtBot, app: App, figure: QRectF) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.viewport.resize(*VIEWPORT, 1.0)
    canvas = canvas_of(app.desk.viewport)
    assert canvas is not None
    sides = letters(canvas, QFontMetricsF(app.window.font()))
    area = words_area(figure, SIZE, VIEWPORT, sides)
    assert not any(area.intersects(side) for side in sides)
    assert QRectF(0, 0, *VIEWPORT).contains(area)


def test_numbers_of_figures_at_one_place_stand_under_each_other() -> None:
    figure, taken = QRectF(100, 100, 50, 20), list[QRectF]()
    for _ in range(3):
        area = words_area(figure, SIZE, VIEWPORT, taken)
        assert not any(area.intersects(other) for other in taken)
        taken.append(area)
    assert [area.top() for area in taken] == [90, 132, 174]


def test_numbers_at_the_lower_edge_go_up_rather_than_out() -> None:
    figure = QRectF(100, 280, 50, 10)
    taken = [words_area(figure, SIZE, VIEWPORT, [])]
    area = words_area(figure, SIZE, VIEWPORT, taken)
    assert area.bottom() <= taken[0].top()
    assert QRectF(0, 0, *VIEWPORT).contains(area)
