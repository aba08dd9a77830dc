"""The visible part of an image is painted as Qt would paint the whole image."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.viewer import geometry
from desktop.state.viewer.geometry import View
from desktop.views.painting.canvas import Canvas, canvas_of
from desktop.views.painting.images import to_qimage
from desktop.views.viewer.viewport import PIXELS_FROM, paint_picture
from tests.desktop.conftest import dicom, open_paths

SIZE = 300, 220


def canvas() -> QImage:
    made = QImage(*SIZE, QImage.Format.Format_RGB32)
    made.fill(0)
    return made


def values(image: QImage) -> np.ndarray:
    """int [H, W, 3]."""
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return flat[..., 2::-1].astype(int)


@pytest.mark.parametrize("name", ["CT_small.dcm", "693_J2KI.dcm", "SC_rgb.dcm"])
@pytest.mark.parametrize(
    "view",
    [
        View(*SIZE),
        View(*SIZE, quarter_turns=1, flipped=True),
        View(*SIZE, scale=1.0),
        View(*SIZE, scale=5.5, pan=(137.5, -41.25)),
        View(*SIZE, scale=5.5, pan=(-90.0, 33.0), quarter_turns=3),
        View(*SIZE, scale=20.0, pan=(3.0, 7.0)),
        View(*SIZE, scale=2.0, pan=(5000.0, 0.0)),
    ],
    ids=["fitted", "turned and mirrored", "actual size", "part", "turned part", "single pixels", "out of sight"],
)
def test_the_screen_matches_qt_painting_the_whole_image(qtbot: QtBot, app: App, name: str, view: View) -> None:
    open_paths(qtbot, app, dicom(name))
    state = app.desk.layout.active
    assert state.picture is not None
    state.view = view
    painted, wanted = canvas(), canvas()
    seen = canvas_of(state)
    assert seen is not None
    painter = QPainter(painted)
    paint_picture(painter, seen)
    painter.end()

    needed = seen.shape.columns * geometry.scale_of(view, seen.shape)
    level = [made for made in state.picture.levels if made.shape[1] >= needed or made is state.picture.levels[0]][-1]
    height, width = level.shape[:2]
    kind = QImage.Format.Format_Grayscale8 if level.ndim == 2 else QImage.Format.Format_RGB888
    whole = QImage(level.data, width, height, level.strides[0], kind)
    painter = QPainter(wanted)
    painter.setTransform(seen.transform)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, geometry.scale_of(view, seen.shape) < PIXELS_FROM)
    painter.drawImage(QRectF(0, 0, seen.shape.columns, seen.shape.rows), whole)
    painter.end()
    assert np.abs(values(painted) - values(wanted)).max() <= 1
    assert values(painted).any() == (view.pan[0] < 5000)


def test_gray_levels_reach_the_screen_unchanged() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(values(to_qimage(ramp)), np.repeat(ramp[..., None], 3, axis=2))
    colours = np.stack([ramp, 255 - ramp, ramp // 2], axis=2)
    assert np.array_equal(values(to_qimage(colours)), colours)


def test_the_window_survives_an_error_in_a_painter(qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A QPainter that is not ended makes Qt abort the process."""

    def fail(painter: QPainter, canvas: Canvas) -> None:
        raise ValueError("a mistake of ours")

    open_paths(qtbot, app, dicom("CT_small.dcm"))
    view = app.window.viewport
    with monkeypatch.context() as patch:
        patch.setattr(view, "_painters", [fail])
        with pytest.raises(ValueError, match="a mistake of ours"):
            view.grab()
    assert view.grab().toImage().pixelColor(view.width() // 2, view.height() // 2).lightness() > 0
