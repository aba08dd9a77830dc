"""Mouse tools: image points of a gesture, which tool gets a drag, the rubber band, painters over the picture."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer import geometry
from desktop.state.viewer.tools import Gesture, Tool
from desktop.views.painting.canvas import Canvas
from engine.image.color_maps import color_map_table
from engine.image.window import auto_window
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.viewer.test_pointed import hover


class Recorder(Tool):
    cursor = "cross"

    def __init__(self) -> None:
        self.heard: list[tuple[str, Gesture]] = []
        self.left = False

    def press(self, gesture: Gesture) -> None:
        self.heard.append(("press", gesture))

    def move(self, gesture: Gesture) -> None:
        self.heard.append(("move", gesture))

    def release(self, gesture: Gesture) -> None:
        self.heard.append(("release", gesture))

    def double_click(self, gesture: Gesture) -> bool:
        self.heard.append(("double", gesture))
        return True

    def cancel(self) -> None:
        self.left = True


def drag(
    qtbot: QtBot, app: App, start: QPoint, end: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton
) -> None:
    view = app.window.viewport
    qtbot.mousePress(view, button, pos=start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, button, pos=end)


def test_a_gesture_has_the_image_point(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    tool = Recorder()
    app.desk.tools.add("recorder", tool)
    app.desk.tools.choose("recorder")
    viewport = app.desk.viewport
    viewport.rotate(1)
    assert viewport.shape is not None
    x, y = geometry.to_screen(viewport.view, viewport.shape, (30.5, 90.5))
    drag(qtbot, app, QPoint(round(x), round(y)), QPoint(round(x) + 20, round(y)))
    assert [what for what, _ in tool.heard] == ["press", "move", "release"]
    pressed, moved = tool.heard[0][1], tool.heard[1][1]
    assert pressed.viewport is viewport
    pixel = 1 / viewport.scale
    assert pressed.image_point == pytest.approx((30.5, 90.5), abs=pixel)
    assert moved.moved == (20, 0)
    assert moved.image_point is not None
    # rotated right: moving right goes up the columns
    assert moved.image_point[1] == pytest.approx(90.5 - 20 * pixel, abs=pixel)


def test_choosing_another_tool_cancels_the_previous_one(app: App) -> None:
    tool = Recorder()
    app.desk.tools.add("recorder", tool)
    app.desk.tools.choose("recorder")
    app.desk.tools.choose("pan")
    assert tool.left


def test_a_grab_gets_the_drag_instead_of_the_chosen_tool(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    tool, window = Recorder(), app.desk.viewport.window
    app.desk.tools.grabs.append(lambda gesture: tool if gesture.screen_point[0] < 100 else None)
    drag(qtbot, app, QPoint(50, 50), QPoint(90, 60))
    assert len(tool.heard) == 3
    assert app.desk.viewport.window == window
    drag(qtbot, app, QPoint(200, 50), QPoint(240, 60))
    settle(qtbot, app)
    assert len(tool.heard) == 3
    assert app.desk.viewport.window != window


def test_a_tool_may_take_a_double_click(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    tool = Recorder()
    app.desk.tools.add("recorder", tool)
    app.desk.tools.choose("recorder")
    qtbot.mouseDClick(app.window.viewport, Qt.MouseButton.LeftButton)
    assert [what for what, _ in tool.heard] == ["double"]
    assert not app.desk.layout.maximized


def test_the_middle_button_pans_whichever_tool_is_chosen(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    drag(qtbot, app, QPoint(100, 100), QPoint(130, 90), Qt.MouseButton.MiddleButton)
    assert app.desk.viewport.view.pan == (30, -10)


def test_the_zoom_tool_keeps_the_point_where_the_drag_began(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.tools.choose("zoom")
    place = app.desk.viewport.to_image((200, 150))
    scale = app.desk.viewport.scale
    drag(qtbot, app, QPoint(200, 150), QPoint(200, 110))
    assert app.desk.viewport.scale > scale
    assert app.desk.viewport.to_image((200, 150)) == pytest.approx(place)


def test_the_scroll_tool_moves_a_frame_every_few_pixels(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.desk.tools.choose("scroll")
    drag(qtbot, app, QPoint(100, 100), QPoint(100, 133))
    settle(qtbot, app)
    assert app.desk.viewport.index == 4


def test_a_rectangle_becomes_the_view(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.tools.choose("zoom_to_rectangle")
    centre = app.desk.viewport.to_image((150, 120))
    drag(qtbot, app, QPoint(100, 80), QPoint(200, 160))
    view = app.desk.viewport.view
    assert app.desk.viewport.to_image((view.width / 2, view.height / 2)) == pytest.approx(centre)
    assert app.desk.rubber_band.viewport is None


def test_a_roi_sets_the_window_from_its_values(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    viewport = app.desk.viewport
    assert viewport.shape is not None
    assert viewport.picture is not None
    values = viewport.picture.pixels.values
    start, end = (geometry.to_screen(viewport.view, viewport.shape, point) for point in ((20.5, 40.5), (60.5, 90.5)))
    app.desk.tools.choose("window_from_roi")
    drag(qtbot, app, QPoint(*map(round, start)), QPoint(*map(round, end)))
    settle(qtbot, app)
    inner = np.asarray(values[40:91, 20:61])
    low, high = np.percentile(inner, (0.5, 99.5))
    assert viewport.window is not None
    assert viewport.window.center == pytest.approx((low + high) / 2, abs=0.05 * (high - low))
    assert viewport.window.center != auto_window(viewport.picture.pixels).center


def test_a_click_is_not_a_rectangle(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.tools.choose("window_from_roi")
    drag(qtbot, app, QPoint(100, 80), QPoint(101, 80))
    assert app.desk.viewport.window is None


def test_a_painter_draws_in_image_coordinates_however_the_picture_is_rotated(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    viewport = app.desk.viewport

    def paint(painter: QPainter, canvas: Canvas) -> None:
        painter.setTransform(canvas.transform)
        painter.fillRect(QRectF(10, 20, 8, 8), QColor("#00ff00"))

    app.window.grid.over_painters.append(paint)
    viewport.set_overlay_text_visible(False)
    for turn in range(4):
        viewport.flip(bool(turn % 2))
        viewport.rotate(turn)
        shot = app.window.viewport.grab().toImage()
        assert viewport.shape is not None
        inside = QPointF(*geometry.to_screen(viewport.view, viewport.shape, (14, 24))).toPoint()
        outside = QPointF(*geometry.to_screen(viewport.view, viewport.shape, (24, 14))).toPoint()
        assert shot.pixelColor(inside) == QColor("#00ff00")
        assert shot.pixelColor(outside) != QColor("#00ff00")


def test_pixels_are_painted_where_the_geometry_says(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    viewport = app.desk.viewport
    viewport.set_overlay_text_visible(False)
    viewport.match_view(geometry.View(scale=4.0))
    viewport.rotate(1)
    viewport.flip(True)
    assert viewport.picture is not None
    assert viewport.shape is not None
    shot = app.window.viewport.grab().toImage()
    for column, row in ((40, 50), (64, 64), (80, 30), (31, 77)):
        place = QPointF(*geometry.to_screen(viewport.view, viewport.shape, (column + 0.5, row + 0.5))).toPoint()
        gray = int(viewport.picture.image()[row, column])
        assert shot.pixelColor(place).red() == pytest.approx(gray, abs=40)  # smoothed towards its neighbours


def test_the_rubber_band_is_painted_while_it_is_dragged(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.tools.choose("zoom_to_rectangle")
    view = app.window.viewport
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    qtbot.mouseMove(view, QPoint(160, 140))
    shot = view.grab().toImage()
    edge = [shot.pixelColor(x, y) for x in range(60, 160) for y in (59, 60)]
    assert any(color.blue() > color.red() + 20 for color in edge)  # the picture itself is gray
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(160, 140))


@pytest.mark.parametrize("tool", ["zoom_to_rectangle", "window_from_roi"])
def test_esc_cancels_a_rubber_band_while_the_button_is_held(qtbot: QtBot, app: App, tool: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.tools.choose(tool)
    view, before = app.window.viewport, app.desk.viewport.view
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(60, 60))
    qtbot.mouseMove(view, QPoint(160, 140))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    qtbot.mouseMove(view, QPoint(200, 180))
    assert app.desk.rubber_band.viewport is None
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(200, 180))
    settle(qtbot, app)
    assert app.desk.viewport.view == before
    assert app.desk.viewport.window is None


def test_a_drag_ends_when_its_release_went_to_a_dialog(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    view = app.window.viewport
    qtbot.mousePress(view, Qt.MouseButton.MiddleButton, pos=QPoint(60, 60))
    qtbot.mouseMove(view, QPoint(80, 70))
    assert app.desk.viewport.view.pan == (20, 10)
    hover(app, QPoint(150, 150))
    assert app.desk.viewport.view.pan == (20, 10)
    drag(qtbot, app, QPoint(100, 100), QPoint(130, 90), Qt.MouseButton.MiddleButton)
    assert app.desk.viewport.view.pan == (50, 0)


def test_a_color_map_changes_the_screen_but_not_the_search(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    viewport = app.desk.viewport
    assert viewport.picture is not None
    before = viewport.picture.image().copy()
    viewport.set_overlay_text_visible(False)
    viewport.match_view(geometry.View(scale=8.0))
    app.actions.actions["color_map_hot_iron"].trigger()
    shot = app.window.viewport.grab().toImage()
    assert viewport.shape is not None
    for column, row in ((64, 64), (50, 70), (70, 50)):
        place = QPointF(*geometry.to_screen(viewport.view, viewport.shape, (column + 0.5, row + 0.5))).toPoint()
        expected = color_map_table("Hot iron")[before[row, column]]
        assert shot.pixelColor(place).getRgb()[:3] == tuple(int(part) for part in expected)
    np.testing.assert_array_equal(viewport.picture.image(), before)
    app.actions.actions["reset_view"].trigger()
    assert viewport.color_map == ""
    settle(qtbot, app)
