"""Rotated and flipped views: every pixel lands where NumPy puts it, and the orientation letters follow."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import Shape, View

ACTS = {
    "clockwise": (lambda view: geometry.rotated(view, 1), lambda image: np.rot90(image, -1)),
    "counterclockwise": (lambda view: geometry.rotated(view, -1), np.rot90),
    "horizontally": (lambda view: geometry.flipped(view, True), np.fliplr),
    "vertically": (lambda view: geometry.flipped(view, False), np.flipud),
}
SHAPE = Shape(5, 3)


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=7), st.tuples(st.floats(-40, 40), st.floats(-40, 40)))
def test_every_pixel_lands_where_numpy_rotates_it(acts: list[str], pan: tuple[float, float]) -> None:
    view, image = View(400, 300, scale=10.0, pan=pan), np.arange(15).reshape(3, 5)
    for act in acts:
        look, turn = ACTS[act]
        view, image = look(view), turn(image)
    left, top, width, height = geometry.rectangle(view, SHAPE)
    assert (width, height) == (image.shape[1] * 10, image.shape[0] * 10)
    for row in range(3):
        for column in range(5):
            x, y = geometry.to_screen(view, SHAPE, (column + 0.5, row + 0.5))
            assert image[int((y - top) // 10), int((x - left) // 10)] == row * 5 + column


@given(
    st.lists(st.sampled_from(sorted(ACTS)), max_size=5),
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    st.tuples(st.floats(0, 5), st.floats(0, 3)),
)
def test_screen_to_image_inverts_image_to_screen(
    acts: list[str], pan: tuple[float, float], point: tuple[float, float]
) -> None:
    view, shape = View(313, 211, scale=7.3, pan=pan), Shape(5, 3, (2.0, 0.7))
    for act in acts:
        view = ACTS[act][0](view)
    assert geometry.to_image(view, shape, geometry.to_screen(view, shape, point)) == pytest.approx(point)


@given(st.lists(st.sampled_from(sorted(ACTS)), max_size=7))
def test_edge_letters_follow_the_picture(acts: list[str]) -> None:
    view = View(100, 100)
    stored = ("R", "A", "L", "P")
    image = np.array([["", "A", ""], ["R", "", "L"], ["", "P", ""]])
    for act in acts:
        view, image = ACTS[act][0](view), ACTS[act][1](image)
    assert geometry.edges_on_screen(view, stored) == (image[1, 0], image[0, 1], image[1, 2], image[2, 1])


def test_rotation_keeps_what_lies_in_the_centre() -> None:
    view = View(300, 200, scale=4.0, pan=(30, -20))
    centre = geometry.to_image(view, SHAPE, (150, 100))
    assert geometry.to_image(geometry.rotated(view, 1), SHAPE, (150, 100)) == pytest.approx(centre)
    assert geometry.to_image(geometry.flipped(view, True), SHAPE, (150, 100)) == pytest.approx(centre)


def test_a_rotated_picture_is_fitted_by_its_rotated_sides() -> None:
    assert geometry.fit_scale(View(300, 500, quarter_turns=1), SHAPE) == 100
    assert geometry.fit_scale(View(300, 500), SHAPE) == 60


def test_a_rectangle_fills_the_view_and_a_click_is_ignored() -> None:
    view = View(300, 200, scale=1.0)
    shape = Shape(200, 100)
    corners = [geometry.to_image(view, shape, place) for place in ((100, 80), (160, 120))]
    zoomed = geometry.zoomed_to(view, shape, (100, 80), (160, 120))
    seen = [geometry.to_screen(zoomed, shape, corner) for corner in corners]
    assert seen[0] == pytest.approx((0, 0))
    assert seen[1] == pytest.approx((300, 200))
    assert geometry.zoomed_to(view, shape, (100, 80), (103, 82)) == view
