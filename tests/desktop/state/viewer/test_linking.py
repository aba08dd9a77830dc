"""Linked viewports: by position, by index, by millimetres; and unlinked again."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View
from desktop.state.viewer.linking import matching_view
from desktop.state.viewer.viewport import ViewportState
from engine.study import Series, Vector
from tests.desktop.conftest import dicom, open_paths, settle


def with_positions(series: Series, step: float, frame_of_reference: str = "1.2.3") -> Series:
    """The stack as if its frames lay `step` mm apart along the head."""

    def moved(number: int) -> Vector:
        return (0.0, 0.0, number * step)

    frames = tuple(
        replace(
            frame,
            position=moved(number),
            orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
            frame_of_reference=frame_of_reference,
        )
        for number, frame in enumerate(series.frames)
    )
    return replace(series, frames=frames)


def show_other(
    qtbot: QtBot, app: App, pair: tuple[ViewportState, ViewportState], other: Callable[[Series], Series]
) -> None:
    """In the second viewport what `other` makes of the first one's series."""
    first, second = pair
    assert first.study is not None
    assert first.series is not None
    second.show(first.study, other(first.series))
    settle(qtbot, app)


def without_positions(series: Series) -> Series:
    return replace(series, frames=tuple(replace(one, position=None, orientation=None) for one in series.frames))


@pytest.fixture
def pair(qtbot: QtBot, app: App) -> tuple[ViewportState, ViewportState]:
    """Two viewports, the second one's frames half as far apart as the first one's."""
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    assert first.study is not None
    assert first.series is not None
    series, study = first.series, first.study
    first.show(study, with_positions(series, 2.0))
    second.show(study, with_positions(series, 1.0))
    settle(qtbot, app)
    return first, second


def test_unlinked_viewports_leave_each_other_alone(app: App, pair: tuple[ViewportState, ViewportState]) -> None:
    first, second = pair
    first.go_to(3)
    first.zoom_by(2)
    first.drag_window(30, 10)
    assert second.index == 0
    assert second.view.scale is None
    assert second.window is None


def test_linked_stacks_meet_at_the_same_millimetre(app: App, pair: tuple[ViewportState, ViewportState]) -> None:
    first, second = pair
    app.actions.actions["link_viewports"].trigger()
    first.go_to(3)
    assert second.index == 6
    second.go_to(2)
    assert first.index == 1


def test_another_study_aligned_by_hand_scrolls_the_same_millimetres(
    qtbot: QtBot, app: App, pair: tuple[ViewportState, ViewportState]
) -> None:
    first, second = pair
    show_other(qtbot, app, pair, lambda series: with_positions(series, -1.0, "9.9"))  # half as far, the other way round
    first.go_to(3)
    second.go_to(7)
    app.actions.actions["link_viewports"].trigger()
    first.go_to(4)
    assert second.index == 5
    first.go_to(9)
    assert second.index == 0  # the end of its stack
    first.go_to(2)
    assert second.index == 9  # and no distance was lost there


def test_without_positions_stacks_keep_their_distance_in_frames(
    qtbot: QtBot, app: App, pair: tuple[ViewportState, ViewportState]
) -> None:
    first, second = pair
    show_other(qtbot, app, pair, without_positions)
    second.go_to(4)
    app.actions.actions["link_viewports"].trigger()
    first.go_to(2)
    assert second.index == 6
    first.go_to(9)
    assert second.index == 9  # the end of its stack
    first.go_to(1)
    assert second.index == 5  # and no distance was lost there


def test_zoom_pan_and_window_go_together(qtbot: QtBot, app: App, pair: tuple[ViewportState, ViewportState]) -> None:
    first, second = pair
    app.actions.actions["link_viewports"].trigger()
    first.zoom_by(2)
    first.pan_by(15, -5)
    first.drag_window(30, 10)
    settle(qtbot, app)
    assert second.view.scale == pytest.approx(first.view.scale, rel=0.01)  # the cells differ by a pixel
    assert second.view.pan == first.view.pan
    assert second.window == first.window
    first.fit()
    assert second.view.scale is None


def test_a_rotation_is_not_linked(app: App, pair: tuple[ViewportState, ViewportState]) -> None:
    first, second = pair
    app.actions.actions["link_viewports"].trigger()
    first.rotate(1)
    assert (first.view.quarter_turns, second.view.quarter_turns) == (1, 0)


def test_linking_ends_by_the_same_command(app: App, pair: tuple[ViewportState, ViewportState]) -> None:
    app.actions.actions["link_viewports"].trigger()
    app.actions.actions["link_viewports"].trigger()
    pair[0].go_to(5)
    assert pair[1].index == 0


def test_pictures_of_different_pixels_are_shown_at_the_same_size_in_millimetres() -> None:
    fine, coarse = Shape(512, 512, (0.5, 0.5)), Shape(256, 256, (1.5, 1.5))
    leader = View(400, 400, scale=2.0)
    view = matching_view(leader, fine, View(300, 200), coarse)
    assert view.scale is not None
    assert leader.scale is not None
    assert 1.5 / view.scale == 0.5 / leader.scale  # millimetres of one logical pixel
    assert (view.width, view.height) == (300, 200)


def test_a_pixel_aspect_ratio_is_not_a_size_in_millimetres() -> None:
    leader, shape = View(400, 400, scale=8.0), Shape(100, 100, (0.15, 0.15))
    other = Shape(100, 100, (1.0, 1.0), in_mm=False)
    assert matching_view(leader, shape, View(400, 400), other).scale == 8.0


def test_without_millimetres_the_zoom_is_relative_to_the_fit() -> None:
    leader, shape, other = View(400, 400, scale=8.0), Shape(100, 100), Shape(1000, 1000)
    view = matching_view(leader, shape, View(400, 400), other)
    assert view.scale == 2 * geometry.fit_scale(View(400, 400), other)
