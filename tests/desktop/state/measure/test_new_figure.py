"""A figure that is one row of the table and its read function is drawn, dragged, stored, read back and listed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.commands.measure import drawing_commands
from desktop.state.viewer import geometry
from desktop.views.painting.canvas import canvas_of
from desktop.views.painting.measure_painter import figure_painter
from engine.geometry.spacing import spacing_for
from engine.image.pixels import Pixels
from engine.measure import formulas
from engine.measure.figures import FIGURES, Figure, Points, Strokes
from engine.measure.readings import Reading
from engine.study import FrameRef, Point
from tests.desktop.conftest import dicom, open_paths, settle

LEFT = Qt.MouseButton.LeftButton
CORNERS: Points = ((10.0, 10.0), (50.0, 10.0), (10.0, 40.0))


def read_triangle(points: Points, frame: FrameRef, pixels: Pixels | None) -> Reading:
    spacing = spacing_for(frame, points)
    return Reading(spacing, area=formulas.outline_area(points, spacing))


def closed(points: Points) -> Strokes:
    return ((*points, points[0]),)


TRIANGLE = Figure("triangle", "Triangle", 3, read_triangle, uses_pixels=False, strokes=closed)


@pytest.fixture
def triangle_app(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[App]:
    """The app with one more row in the table, after every corner of a triangle was clicked.

    The row goes before the app has handled its last events, so what was drawn with it goes first.
    """
    monkeypatch.setitem(FIGURES, "triangle", TRIANGLE)
    app: App = request.getfixturevalue("app")
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    command = next(one for one in drawing_commands(FIGURES.values()) if one.name == "tool_triangle")
    assert (command.text, command.shortcuts) == ("Triangle", ())
    command.handler(app.desk, app.window)
    for corner in CORNERS:
        qtbot.mouseClick(app.window.viewport, LEFT, pos=screen(app, corner))
    yield app
    app.desk.measurements.delete_all()


def screen(app: App, point: Point) -> QPoint:
    state = app.desk.viewport
    assert state.shape is not None
    x, y = geometry.to_screen(state.view, state.shape, point)
    return QPoint(round(x), round(y))


def near(expected: Points) -> object:
    """Approximately, since clicks fall on whole screen pixels."""
    return [pytest.approx(point, abs=0.2) for point in expected]


def test_it_is_drawn_and_painted(triangle_app: App) -> None:
    (item,) = triangle_app.desk.measurements.of_study()
    assert (item.kind, list(item.points)) == ("triangle", near(CORNERS))
    canvas = canvas_of(triangle_app.desk.viewport)
    assert canvas is not None
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        figure_painter(triangle_app.desk.measurements)(painter, canvas)
    sides = [canvas.to_screen(point) for point in (*item.points, item.points[0])]
    elements = [canvas.figures.elementAt(index) for index in range(canvas.figures.elementCount())]
    assert [(one.x, one.y) for one in elements] == [(side.x(), side.y()) for side in sides]


def test_its_handles_are_dragged(qtbot: QtBot, triangle_app: App) -> None:
    view, target = triangle_app.window.viewport, (55.0, 20.0)
    qtbot.mousePress(view, LEFT, pos=screen(triangle_app, CORNERS[1]))
    qtbot.mouseMove(view, screen(triangle_app, target))
    qtbot.mouseRelease(view, LEFT, pos=screen(triangle_app, target))
    (item,) = triangle_app.desk.measurements.of_study()
    assert list(item.points) == near((CORNERS[0], target, CORNERS[2]))


def test_it_is_stored_and_read_back(qtbot: QtBot, triangle_app: App, tmp_path: Path) -> None:
    settle(qtbot, triangle_app)
    drawn = triangle_app.desk.measurements.of_study()
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    settle(qtbot, again)
    open_paths(qtbot, again, dicom("MR_small.dcm"))
    assert again.desk.measurements.of_study() == drawn
    again.close()
    again.window.deleteLater()


def test_it_is_listed_with_its_reading(triangle_app: App) -> None:
    rows = triangle_app.desk.measurement_list
    rows.watch(True)
    picture = triangle_app.desk.viewport.picture
    assert picture is not None
    assert picture.ref.spacing is not None
    height, width = picture.ref.spacing
    (row,) = rows.rows
    assert row.kind == "Triangle"
    value, unit = row.reading.split()
    assert unit == "mm²" if float(value) < 100 else "cm²"
    assert float(value) * (100 if unit == "cm²" else 1) == pytest.approx(40 * width * 30 * height / 2, rel=0.03)
