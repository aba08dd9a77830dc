"""Overlay planes on their way to the screen: made into an image once, and let go when there are many."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App
from desktop.views import graphics_painters
from desktop.views.graphics_painters import PlaneImages, plane_image
from engine.overlays import Overlay
from tests.desktop.conftest import dicom, open_paths


def plane(side: int = 4) -> Overlay:
    return Overlay(np.eye(side, dtype=bool), 0, 0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Overlay, str]]:
    """Which planes were made into images, in which colour."""
    asked: list[tuple[Overlay, str]] = []

    def note(plane: Overlay, color: str) -> QImage:
        asked.append((plane, color))
        return plane_image(plane, color)

    monkeypatch.setattr(graphics_painters, "plane_image", note)
    return asked


def test_a_second_paint_makes_no_second_image_and_another_colour_does(
    qtbot: QtBot, app: App, made: list[tuple[Overlay, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("examples_overlay.dcm"))
    first = app.window.viewport.grab().toImage()
    again = app.window.viewport.grab().toImage()
    assert [color for _, color in made] == [theme.ON_IMAGE_MARK]
    assert again == first
    monkeypatch.setattr(theme, "ON_IMAGE_MARK", "#ff00ff")
    app.window.viewport.grab()
    app.window.viewport.grab()
    assert [color for _, color in made] == ["#dcae5a", "#ff00ff"]


def test_planes_that_look_alike_are_not_taken_for_each_other(made: list[tuple[Overlay, str]]) -> None:
    images, one, other = PlaneImages(), plane(), plane()
    for asked in (one, other, one):
        images.of(asked, "#ffffff")
    assert [found for found, _ in made] == [one, other]


def test_the_plane_painted_longest_ago_goes_first(made: list[tuple[Overlay, str]]) -> None:
    planes = [plane() for _ in range(3)]
    two = 2 * plane_image(planes[0], "#ffffff").sizeInBytes()
    images = PlaneImages(two)
    for number in (0, 1, 0, 2, 0, 1):
        images.of(planes[number], "#ffffff")
        assert images.size <= two
    assert [planes.index(found) for found, _ in made] == [0, 1, 2, 1]


def test_a_plane_beyond_the_limit_is_kept_alone(made: list[tuple[Overlay, str]]) -> None:
    images, large = PlaneImages(10), plane(64)
    images.of(plane(), "#ffffff")
    images.of(large, "#ffffff")
    images.of(large, "#ffffff")
    assert len(made) == 2


def test_bits_have_the_colour_and_a_dark_rim_around_them() -> None:
    image = plane_image(Overlay(np.array([[True, False, False, False]]), 0, 0), "#dcae5a")
    alphas = [[image.pixelColor(x, y).alpha() for x in range(6)] for y in range(3)]
    assert alphas == [[160, 160, 160, 0, 0, 0], [160, 255, 160, 0, 0, 0], [160, 160, 160, 0, 0, 0]]
    assert image.pixelColor(1, 1) == QColor("#dcae5a")
