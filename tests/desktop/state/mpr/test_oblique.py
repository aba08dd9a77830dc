"""The oblique plane in the real window: turned by keys and by the mouse, measured on, left again."""

import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer import geometry
from desktop.state.viewer.annotations import annotate
from desktop.state.viewer.viewport import ViewportState
from engine.geometry.planes import normal, to_image, to_patient
from engine.geometry.reference_lines import reference_line
from engine.image.mpr import is_plane
from engine.study import FrameRef, Vector
from tests.desktop.conftest import settle
from tests.desktop.state.mpr.conftest import open_mpr, run

LEFT = Qt.MouseButton.LeftButton
BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def mpr(qtbot: QtBot, app: App, tmp_path: Path) -> App:
    return open_mpr(qtbot, app, tmp_path, [4.0 * index for index in range(16)], at=5)


def oblique(app: App) -> FrameRef:
    """The oblique plane on screen, which is in the viewport of the stack."""
    viewport = app.desk.layout.viewports[3]
    assert viewport is app.desk.mpr.oblique_viewport
    assert viewport.picture is not None
    return viewport.picture.ref


def angle(one: Vector, other: Vector) -> float:
    """Degrees between two planes by their normals."""
    return math.degrees(math.acos(min(1.0, abs(float(np.dot(one, other))))))


def normal_of(frame: FrameRef) -> Vector:
    assert frame.orientation is not None
    return normal(frame.orientation)


def millimeter_of(viewport: ViewportState) -> float:
    """Logical pixels of a millimeter on screen."""
    shape = viewport.shape
    assert shape is not None
    assert shape.spacing is not None
    return geometry.scale_of(viewport.view, shape) / shape.spacing[1]


def test_the_first_turn_copies_the_active_plane_where_it_is(qtbot: QtBot, mpr: App) -> None:
    axial = mpr.desk.viewport
    assert axial.picture is not None
    shown = axial.picture.ref
    run(qtbot, mpr, "turn_plane_right")
    frame = oblique(mpr)
    assert angle(normal_of(frame), normal_of(shown)) == pytest.approx(5)
    center = mpr.desk.oblique.center
    assert center is not None
    seen = to_image(shown, center)
    assert seen is not None
    assert seen[1] == pytest.approx(0, abs=1e-6)  # at the slice on screen
    assert seen[0] == pytest.approx((64, 64))
    assert annotate(mpr.desk.layout.viewports[3]).bottom_left[-2:-1] == ("Oblique",)
    millimeter = [millimeter_of(one) for one in (axial, mpr.desk.layout.viewports[3])]
    assert millimeter[0] == pytest.approx(millimeter[1])  # as large as the plane that was turned


def test_keys_turn_it_both_ways_and_scrolling_moves_the_center_with_it(qtbot: QtBot, mpr: App) -> None:
    view = mpr.window.viewport
    view.setFocus()
    run(qtbot, mpr, "turn_plane_up")
    start = normal_of(oblique(mpr))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Down):
        qtbot.keyClick(view, key, BOTH)
        settle(qtbot, mpr)
    assert angle(normal_of(oblique(mpr)), start) == pytest.approx(0, abs=1e-4)
    before = mpr.desk.oblique.center
    viewport = mpr.desk.layout.viewports[3]
    viewport.scroll(3)
    settle(qtbot, mpr)
    after = mpr.desk.oblique.center
    assert before is not None
    assert after is not None
    assert math.dist(before, after) == pytest.approx(3 * 0.661468)
    run(qtbot, mpr, "turn_plane_right")
    seen = to_image(oblique(mpr), after)
    assert seen is not None
    assert seen[1] == pytest.approx(0, abs=1e-6)


def test_a_key_that_is_held_turns_it_on_while_its_picture_is_still_being_made(qtbot: QtBot, mpr: App) -> None:
    shown = mpr.desk.viewport.picture
    assert shown is not None
    mpr.desk.messages.dismiss()
    for _ in range(3):
        mpr.actions.actions["turn_plane_right"].trigger()
    assert mpr.desk.messages.message is None
    settle(qtbot, mpr)
    assert angle(normal_of(oblique(mpr)), normal_of(shown.ref)) == pytest.approx(15)


def test_its_line_follows_the_mouse_on_another_plane(qtbot: QtBot, mpr: App) -> None:
    desk, view = mpr.desk, mpr.window.grid.views[0]
    axial = desk.layout.viewports[0]
    desk.tools.choose("turn_plane")
    assert axial.shape is not None
    assert axial.picture is not None
    x, y = geometry.to_screen(axial.view, axial.shape, (64, 64))
    middle = QPoint(round(x), round(y))
    qtbot.mousePress(view, LEFT, pos=middle + QPoint(60, 0))
    for target in (QPoint(60, -20), QPoint(60, -60)):
        qtbot.mouseMove(view, middle + target)
        settle(qtbot, mpr)
    qtbot.mouseRelease(view, LEFT, pos=middle + QPoint(60, -60))
    frame, shown = oblique(mpr), axial.picture.ref
    assert angle(normal_of(frame), normal_of(shown)) == pytest.approx(90, abs=1e-4)  # it still cuts at a right angle
    ends = reference_line(frame, shown)
    assert ends is not None
    (x0, y0), (x1, y1) = ends
    assert (y1 - y0) / (x1 - x0) == pytest.approx(-1, abs=0.05)  # through the mouse, 45 degrees up


def test_a_drag_on_itself_turns_it_and_a_double_click_moves_its_center(qtbot: QtBot, mpr: App) -> None:
    run(qtbot, mpr, "turn_plane_right")
    start = normal_of(oblique(mpr))
    mpr.desk.tools.choose("turn_plane")
    view = mpr.window.grid.views[3]
    center = view.rect().center()
    qtbot.mousePress(view, LEFT, pos=center)
    qtbot.mouseMove(view, center + QPoint(0, 50))
    settle(qtbot, mpr)
    qtbot.mouseRelease(view, LEFT, pos=center + QPoint(0, 50))
    assert angle(normal_of(oblique(mpr)), start) == pytest.approx(50 * 0.4, abs=0.5)
    axial = mpr.desk.layout.viewports[0]
    target = QPoint(100, 120)
    assert axial.picture is not None
    point = axial.to_image((target.x(), target.y()))
    assert point is not None
    position = to_patient(axial.picture.ref, point)
    qtbot.mouseDClick(mpr.window.grid.views[0], LEFT, pos=target)
    settle(qtbot, mpr)
    assert position is not None
    assert mpr.desk.oblique.center == pytest.approx(position)


def test_slabs_and_measurements_work_on_it(qtbot: QtBot, mpr: App) -> None:
    run(qtbot, mpr, "turn_plane_right", "slab_max")
    assert annotate(mpr.desk.layout.viewports[3]).bottom_left[-2].startswith("Oblique · MIP 9.9")
    view, viewport = mpr.window.grid.views[3], mpr.desk.layout.viewports[3]
    mpr.desk.tools.choose("length")
    center = view.rect().center()
    ends = center, center + QPoint(40, 30)
    qtbot.mousePress(view, LEFT, pos=ends[0])
    qtbot.mouseMove(view, ends[1])
    qtbot.mouseRelease(view, LEFT, pos=ends[1])
    (item,) = mpr.desk.measurements.of_study()
    positions = [to_patient(oblique(mpr), point) for point in item.points]
    assert viewport.picture is not None
    reading = mpr.desk.measurements.reading(item, viewport.picture.ref, viewport.picture.pixels)
    assert reading is not None
    assert reading.length == pytest.approx(math.dist(*positions))  # type: ignore[arg-type]
    run(qtbot, mpr, "turn_plane_right")
    assert mpr.desk.measurements.on(viewport) == ()  # it belongs to the plane on which it was drawn


def test_replaced_planes_leave_the_cache_and_closing_brings_the_stack_back(qtbot: QtBot, mpr: App) -> None:
    stack = mpr.desk.layout.viewports[3].series
    run(qtbot, mpr, "turn_plane_right", "turn_plane_up", "slab_max", "slab_none")
    now = {series.frames[0].image.sop_uid for series in mpr.desk.mpr.planes.series}  # type: ignore[union-attr]
    cached = {frame.image.sop_uid for frame in mpr.desk.frames._frames if is_plane(frame)}
    assert cached <= now
    run(qtbot, mpr, "close_oblique_plane")
    assert mpr.desk.layout.viewports[3].series is stack
    assert not mpr.desk.oblique.shown
    run(qtbot, mpr, "turn_plane_right", "mpr")
    assert mpr.desk.layout.viewports[0].series is stack


def test_only_a_plane_can_be_turned(qtbot: QtBot, mpr: App) -> None:
    mpr.desk.layout.activate(mpr.desk.layout.viewports[3])  # the stack
    run(qtbot, mpr, "turn_plane_right")
    message = mpr.desk.messages.message
    assert message is not None
    assert message.text.startswith("Only a plane of MPR can be turned")
