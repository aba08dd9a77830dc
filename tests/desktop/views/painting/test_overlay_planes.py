"""Overlay planes are converted to images once, cached up to a limit, and painted without losing bits."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App
from desktop.background import Background
from desktop.state.viewer.viewport import ViewportState
from desktop.views.painting import overlay_planes
from desktop.views.painting.canvas import Canvas, canvas_of
from desktop.views.painting.overlay_planes import PlaneImages, overlay_painter, plane_image
from engine.dicom.listing import open_path
from engine.image.overlays import Overlay
from tests.desktop.conftest import dicom, open_paths


def plane(side: int = 4) -> Overlay:
    return Overlay(np.eye(side, dtype=bool), 0, 0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Overlay, str]]:
    """Planes that were converted to images, with their colors."""
    asked: list[tuple[Overlay, str]] = []

    def note(plane: Overlay, color: str, times: int = 0) -> QImage:
        asked.append((plane, color))
        return plane_image(plane, color, times)

    monkeypatch.setattr(overlay_planes, "plane_image", note)
    return asked


def test_painting_again_makes_no_second_image_but_another_color_does(
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


def test_equal_planes_have_separate_images(made: list[tuple[Overlay, str]]) -> None:
    images, one, other = PlaneImages(), plane(), plane()
    for asked in (one, other, one):
        images.of(asked, "#ffffff")
    assert [found for found, _ in made] == [one, other]


def test_the_least_recently_painted_plane_is_evicted_first(made: list[tuple[Overlay, str]]) -> None:
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


def test_bits_have_the_color_and_a_dark_rim() -> None:
    image = plane_image(Overlay(np.array([[True, False, False, False]]), 0, 0), "#dcae5a")
    alphas = [[image.pixelColor(x, y).alpha() for x in range(6)] for y in range(3)]
    assert alphas == [[160, 160, 160, 0, 0, 0], [160, 255, 160, 0, 0, 0], [160, 160, 160, 0, 0, 0]]
    assert image.pixelColor(1, 1) == QColor("#dcae5a")


def painted(canvas: Canvas) -> NDArray[np.uint8]:
    """Only the planes, on black: uint8 [H, W, 4] (blue, green, red, unused)."""
    screen = QImage(int(canvas.view.width), int(canvas.view.height), QImage.Format.Format_RGB32)
    screen.fill(0)
    with QPainter(screen) as painter:
        overlay_painter()(painter, canvas)
    return np.frombuffer(screen.constBits(), np.uint8).reshape(screen.height(), screen.width(), 4).copy()


def test_each_of_several_planes_is_painted_at_its_origin(qtbot: QtBot, background: Background) -> None:
    study = open_path(dicom("examples_overlay.dcm")).studies[0]
    state = ViewportState(background)
    state.resize(500, 300, 1.0)
    state.show(study, study.series[0])
    qtbot.waitUntil(background.idle)
    canvas, picture = canvas_of(state), state.picture
    assert canvas is not None
    assert picture is not None
    one, other = (Overlay(np.ones((20, 30), bool), left, top) for left, top in ((40, 50), (300, 200)))
    shots = []
    for planes in ((one,), (other,), (one, other)):
        state.picture = replace(picture, pixels=replace(picture.pixels, overlays=planes))
        shots.append(painted(canvas))
    np.testing.assert_array_equal(shots[2], np.maximum(shots[0], shots[1]))
    assert (shots[0] != shots[1]).any()


@pytest.mark.parametrize("side", [60.0, 200.0, 300.0, 480.0])
def test_no_bit_of_a_plane_is_lost_when_the_image_is_zoomed_out(
    qtbot: QtBot, background: Background, side: float
) -> None:
    """Every graphic one bit wide is at its position, with at least a third of its brightness."""
    study = open_path(dicom("MR-SIEMENS-DICOM-WithOverlays.dcm")).studies[0]
    state = ViewportState(background)
    state.resize(side, side, 1.0)
    state.show(study, study.series[0])
    qtbot.waitUntil(background.idle)
    assert state.picture is not None
    canvas = canvas_of(state)
    assert canvas is not None
    image = painted(canvas)
    wanted = np.array(QColor(theme.ON_IMAGE_MARK).getRgb()[2::-1])  # blue, green, red
    near = np.pad(image[..., :3].min(axis=-1, initial=255, where=wanted > 0) / wanted[wanted > 0].min(), 1)
    (found,) = state.picture.pixels.overlays
    for row, column in np.argwhere(found.bits):
        point = canvas.to_screen((column + 0.5 + found.left, row + 0.5 + found.top))
        x, y = int(point.x()) + 1, int(point.y()) + 1
        assert near[y - 1 : y + 2, x - 1 : x + 2].max() > 0.3


def test_halving_a_plane_keeps_an_odd_last_row_and_column() -> None:
    bits = np.zeros((3, 5), bool)
    bits[2, 4] = True
    image = plane_image(Overlay(bits, 0, 0), "#ffffff", 1)
    assert (image.width(), image.height()) == (3 + 2, 2 + 2)
    assert image.pixelColor(3, 2) == QColor("#ffffff")
