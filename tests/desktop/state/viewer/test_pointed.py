"""The value of the pixel under the mouse, with its unit, in the corner of the image."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer.annotations import annotate
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.measure.test_measuring import image_point, screen_point
from tests.engine.dicom_samples import dataset


def hover(app: App, where: QPoint) -> None:
    """A move of the mouse; qtbot's own goes through the platform, which may leave one out."""
    view = app.window.viewport
    none, mouse = Qt.MouseButton.NoButton, QPointF(where)
    keys = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        view, QMouseEvent(QEvent.Type.MouseMove, mouse, QPointF(view.mapToGlobal(where)), none, none, keys)
    )


def test_the_hounsfield_units_under_the_mouse_are_those_of_the_file(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    source = dataset("CT_small.dcm")
    values = source.pixel_array * float(source.RescaleSlope) + float(source.RescaleIntercept)
    for point in ((20.5, 30.5), (100.5, 64.5)):
        where = screen_point(app, point)
        hover(app, where)
        column, row = (int(part) for part in image_point(app, where))
        assert annotate(app.desk.viewport).bottom_right[0] == f"{np.round(values[row, column]):,.6g} HU"
    QApplication.sendEvent(app.window.viewport, QEvent(QEvent.Type.Leave))
    assert "HU" not in " ".join(line for line in annotate(app.desk.viewport).bottom_right if "W " not in line)


def test_a_color_image_shows_rgb_and_the_border_nothing(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("US1_UNCR.dcm"))
    source = dataset("US1_UNCR.dcm")
    where = screen_point(app, (300.5, 200.5))
    column, row = (int(part) for part in image_point(app, where))
    red, green, blue = source.pixel_array[row, column]
    hover(app, where)
    assert annotate(app.desk.viewport).bottom_right[0] == f"RGB {red} {green} {blue}"
    before = annotate(app.desk.viewport).bottom_right
    hover(app, QPoint(1, 1))
    assert annotate(app.desk.viewport).bottom_right == before[1:]


@pytest.mark.parametrize("command", ["flip_horizontally", "rotate_right", "zoom_in", "fit_to_viewport"])
def test_the_value_under_a_resting_mouse_follows_what_the_image_does(qtbot: QtBot, app: App, command: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    source = dataset("CT_small.dcm")
    values = source.pixel_array * float(source.RescaleSlope) + float(source.RescaleIntercept)
    app.desk.viewport.pan_by(30, 20)
    where = screen_point(app, (20.5, 30.5))
    hover(app, where)
    app.actions.actions[command].trigger()
    column, row = (int(part) for part in image_point(app, where))
    assert (column, row) != (20, 30)
    assert annotate(app.desk.viewport).bottom_right[0] == f"{np.round(values[row, column]):,.6g} HU"


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, view: QWidget) -> None:
        super().__init__(view)
        self.count = 0
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_window_drag_paints_once_per_move_and_still_shows_the_value_under_the_mouse(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    view, where = app.window.viewport, QPointF(screen_point(app, (64.5, 64.5)))
    right, none, keys = Qt.MouseButton.RightButton, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier

    def send(kind: QEvent.Type, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
        QApplication.sendEvent(view, QMouseEvent(kind, where, view.mapToGlobal(where), button, held, keys))

    send(QEvent.Type.MouseButtonPress, right, right)
    settle(qtbot, app)
    paints = Paints(view)
    for _ in range(5):
        where += QPointF(9, 6)
        send(QEvent.Type.MouseMove, none, right)
        qtbot.waitUntil(lambda: app.desk.viewport.picture.window == app.desk.viewport.window)  # type: ignore[union-attr]
        settle(qtbot, app)
    assert paints.count == 5
    told = annotate(app.desk.viewport).bottom_right[0]
    send(QEvent.Type.MouseButtonRelease, right, none)
    hover(app, where.toPoint())
    assert annotate(app.desk.viewport).bottom_right[0] == told
    assert told.endswith(" HU")
