"""Text stays readable above lines, on screen and in an exported image."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.painting import painters
from desktop.views.painting.canvas import canvas_of
from desktop.views.painting.graphics_painters import scale_painter
from desktop.views.viewer.export_image import render_viewport
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle


def scale_label_rect(app: App) -> QRectF:
    """The rectangle of the scale bar's label in the active viewport."""
    canvas = canvas_of(app.desk.viewport)
    assert canvas is not None
    image = QImage(int(canvas.view.width), int(canvas.view.height), QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        painter.setFont(app.window.font())
        scale_painter()(painter, canvas)
    return canvas.occupied[0]


def pixels(image: QImage, rect: QRectF) -> NDArray[np.uint8]:
    """A part of an image, uint8 [H, W, 3]."""
    part = image.copy(rect.toAlignedRect()).convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.width(), 4)[..., :3].copy()


@pytest.mark.parametrize(
    "look",
    [lambda app: app.window.viewport.grab().toImage(), lambda app: render_viewport(app.desk)],
    ids=["on the screen", "in an exported image"],
)
def test_a_figure_is_painted_below_the_label_of_the_scale_bar(
    qtbot: QtBot, app: App, look: Callable[[App], QImage]
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.viewport.zoom_by(2.5)  # the image reaches below the label
    settle(qtbot, app)
    rect, viewport = scale_label_rect(app), app.desk.viewport
    assert viewport.picture is not None
    before = pixels(look(app), rect)
    ends = [viewport.to_image((x, rect.center().y())) for x in (rect.left() - 40, rect.right())]
    points = tuple(end for end in ends if end is not None)
    app.desk.measurements.add(Measurement("length", points, viewport.picture.ref.image.sop_uid))
    app.desk.measurements.select("")
    after, letters = pixels(look(app), rect), before.min(axis=-1) > 190
    assert letters.any()
    assert (after != before).any()  # the line lies there
    np.testing.assert_allclose(after[letters].astype(int), before[letters], atol=10)  # at soft edges


def test_a_reference_line_leaves_out_the_label_of_the_scale_bar(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    settle(qtbot, app)
    viewport, view = app.desk.viewport, app.window.viewport
    rect = scale_label_rect(app).adjusted(2, 2, -2, -2)
    beside = rect.translated(-rect.width() - 20, 0)
    ends = [viewport.to_image((x, rect.center().y())) for x in (20, rect.right())]
    monkeypatch.setattr(painters, "reference_line", lambda leader, follower: ends)
    app.desk.layout.viewports[1].show(viewport.study, viewport.series)
    settle(qtbot, app)
    before = view.grab().toImage()
    app.desk.layout.step(1)
    after = view.grab().toImage()
    np.testing.assert_array_equal(pixels(after, rect), pixels(before, rect))
    assert (pixels(after, beside) != pixels(before, beside)).any()  # there the line is
