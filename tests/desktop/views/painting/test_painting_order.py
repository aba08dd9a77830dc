"""What is painted above what: words stay readable on lines, on the screen and in a picture to give away."""

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
from desktop.views.viewer.export_view import render_viewport
from engine.measure.measurements import Measurement
from tests.desktop.conftest import dicom, open_paths, settle


def scale_words(app: App) -> QRectF:
    """Where the length of the scale bar is written in the active viewport."""
    canvas = canvas_of(app.desk.viewport)
    assert canvas is not None
    image = QImage(int(canvas.view.width), int(canvas.view.height), QImage.Format.Format_RGB32)
    with QPainter(image) as painter:
        painter.setFont(app.window.font())
        scale_painter()(painter, canvas)
    return canvas.occupied[0]


def pixels(image: QImage, place: QRectF) -> NDArray[np.uint8]:
    """uint8 [H, W, 3]"""
    part = image.copy(place.toAlignedRect()).convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(part.constBits(), np.uint8).reshape(part.height(), part.width(), 4)[..., :3].copy()


@pytest.mark.parametrize(
    "look",
    [lambda app: app.window.viewport.grab().toImage(), lambda app: render_viewport(app.desk)],
    ids=["on the screen", "in a picture to give away"],
)
def test_a_figure_runs_below_the_words_of_the_scale_bar(qtbot: QtBot, app: App, look: Callable[[App], QImage]) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.viewport.zoom_by(2.5)  # the image lies below the words
    settle(qtbot, app)
    place, viewport = scale_words(app), app.desk.viewport
    assert viewport.picture is not None
    before = pixels(look(app), place)
    ends = [viewport.to_image((x, place.center().y())) for x in (place.left() - 40, place.right())]
    points = tuple(end for end in ends if end is not None)
    app.desk.measurements.add(Measurement("length", points, viewport.picture.ref.image.sop_uid))
    app.desk.measurements.select("")
    after, letters = pixels(look(app), place), before.min(axis=-1) > 190
    assert letters.any()
    assert (after != before).any()  # the line lies there
    np.testing.assert_allclose(after[letters].astype(int), before[letters], atol=10)  # at soft edges


def test_a_cross_reference_line_leaves_out_the_words_of_the_scale_bar(
    qtbot: QtBot, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    settle(qtbot, app)
    viewport, view = app.desk.viewport, app.window.viewport
    place = scale_words(app).adjusted(2, 2, -2, -2)
    beside = place.translated(-place.width() - 20, 0)
    ends = [viewport.to_image((x, place.center().y())) for x in (20, place.right())]
    monkeypatch.setattr(painters, "reference_line", lambda leader, follower: ends)
    app.desk.layout.viewports[1].show(viewport.study, viewport.series)
    settle(qtbot, app)
    before = view.grab().toImage()
    app.desk.layout.step(1)
    after = view.grab().toImage()
    np.testing.assert_array_equal(pixels(after, place), pixels(before, place))
    assert (pixels(after, beside) != pixels(before, beside)).any()  # there the line is
