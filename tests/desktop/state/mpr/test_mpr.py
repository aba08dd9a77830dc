"""Planes belong to the study that they are cut from: its report, its closing, its reading."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.studies import identify
from desktop.state.viewer import geometry
from desktop.views.painting.canvas import canvas_of
from desktop.views.painting.painters import reference_line_painter
from engine.errors import UserError
from engine.image.voi import Window
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive_stack

POSITIONS = [0.0, 3.0, 6.0, 9.0, 12.0]


def planes(qtbot: QtBot, app: App, folder: Path) -> None:
    """A stack of CT slices as planes, and an MR study beside it."""
    derive_stack(folder / "ct", POSITIONS, FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, folder / "ct", dicom("MR_small.dcm"))
    stack, series = next(
        (one, series) for one in app.desk.studies.studies for series in one.series if series.frames[4:]
    )
    app.desk.studies.select(identify(stack, series))
    settle(qtbot, app)
    app.desk.mpr.toggle()
    settle(qtbot, app)
    assert app.desk.mpr.shown


def test_activating_a_plane_selects_its_study_in_list_and_report(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    planes(qtbot, app, tmp_path)
    desk = app.desk
    stack, other = desk.studies.study, next(one for one in desk.studies.studies if one is not desk.studies.study)
    assert stack is not None
    desk.studies.select(identify(other, other.series[0]))
    settle(qtbot, app)
    assert desk.report.page is not None
    assert desk.report.page.study == other.uid
    coronal = desk.layout.viewports[1]
    shown = coronal.series
    desk.layout.activate(coronal)
    assert desk.studies.study is stack
    assert desk.report.page.study == stack.uid
    assert coronal.series is shown  # the plane stays


def test_a_reference_line_leaves_text_free(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    planes(qtbot, app, tmp_path)
    coronal = app.desk.layout.viewports[1]
    width, height = round(coronal.view.width), round(coronal.view.height)
    word = QRectF(0, 0, width / 2, height)

    def painted(taken: list[QRectF]) -> QImage:
        image = QImage(width, height, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        canvas = canvas_of(coronal, active=False, occupied=taken)
        assert canvas is not None
        with QPainter(image) as painter:
            reference_line_painter(app.desk)(painter, canvas)
        return image

    def bright(image: QImage, left: int, right: int) -> bool:
        """Is anything painted between two columns?"""
        return any(image.pixelColor(x, y).lightness() > 20 for x in range(left, right) for y in range(height))

    half = width // 2
    assert bright(painted([]), 0, half)
    assert bright(painted([word]), half + 2, width)
    assert not bright(painted([word]), 0, half)


def test_no_draft_is_made_from_the_image_of_another_study(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    planes(qtbot, app, tmp_path)
    desk = app.desk
    other = next(one for one in desk.studies.studies if one is not desk.studies.study)
    desk.archive.bundle = object()  # type: ignore[assignment]
    assert desk.report.why_no_draft() == ""
    desk.viewport.show(other, other.series[0])
    settle(qtbot, app)
    assert desk.report.why_no_draft().startswith("The current image is from a different study than this report.")


def test_planes_go_with_their_study(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    planes(qtbot, app, tmp_path)
    desk = app.desk
    assert desk.studies.study is not None
    desk.studies.close(desk.studies.study.uid)
    settle(qtbot, app)
    assert not desk.mpr.shown
    assert (desk.layout.rows, desk.layout.columns) == (1, 1)
    assert desk.viewport.study is desk.studies.study is desk.studies.studies[0]
    desk.studies.close_all()
    assert desk.viewport.series is None


def test_planes_of_a_study_that_was_closed_meanwhile_do_not_come(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, POSITIONS)
    open_paths(qtbot, app, tmp_path)
    app.desk.mpr.toggle()
    app.desk.studies.close_all()
    settle(qtbot, app)
    assert not app.desk.mpr.shown
    assert [viewport.series for viewport in app.desk.layout.all_viewports] == [None] * len(
        app.desk.layout.all_viewports
    )


def test_a_stack_that_is_still_being_read_gives_no_planes(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, POSITIONS)
    open_paths(qtbot, app, tmp_path)
    study, series = app.desk.viewport.study, app.desk.viewport.series
    assert study is not None
    assert series is not None
    app.desk.viewport.series = replace(series, growing=True)
    with pytest.raises(UserError, match="still loading"):
        app.desk.mpr.toggle()


def test_a_stack_that_grew_meanwhile_comes_back_in_full(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, POSITIONS, SeriesInstanceUID="1.2.3.4")
    open_paths(qtbot, app, tmp_path)
    app.desk.mpr.toggle()
    settle(qtbot, app)
    derive_stack(tmp_path / "more", [15.0], SeriesInstanceUID="1.2.3.4")
    open_paths(qtbot, app, tmp_path / "more")
    assert app.desk.mpr.shown
    app.desk.mpr.toggle()
    settle(qtbot, app)
    assert app.desk.viewport.series is app.desk.studies.series
    assert app.desk.viewport.count == 6


def test_the_crosshair_leads_all_planes_while_they_are_linked(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    planes(qtbot, app, tmp_path)
    desk = app.desk
    axial, coronal, sagittal, _ = desk.layout.viewports
    desk.links.toggle()
    desk.layout.activate(axial)
    desk.tools.choose("crosshair")
    assert axial.shape is not None
    place = QPointF(*geometry.to_screen(axial.view, axial.shape, (30.5, 90.5))).toPoint()
    qtbot.mouseClick(app.window.grid.views[0], Qt.MouseButton.LeftButton, pos=place)
    settle(qtbot, app)
    assert (coronal.index, sagittal.index) == (90, 97)
    assert axial.index == 0  # as the stack, on its first slice


@pytest.mark.parametrize("linked", [False, True])
def test_planes_open_at_the_slice_on_screen(qtbot: QtBot, app: App, tmp_path: Path, linked: bool) -> None:
    derive_stack(tmp_path, POSITIONS, FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    app.desk.viewport.go_to(3)
    if linked:
        app.desk.links.toggle()
    app.desk.mpr.toggle()
    settle(qtbot, app)
    axial, coronal, sagittal, stack = app.desk.layout.viewports
    assert axial.series is not None
    assert axial.series.frames[axial.index].position[2] == POSITIONS[3]  # type: ignore[index]
    assert (coronal.index, sagittal.index) == (64, 63)
    assert stack.index == 3


def test_planes_are_shown_at_the_window_of_their_stack_and_the_stack_comes_back_as_it_was(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    derive_stack(tmp_path, POSITIONS, FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    window = Window(40.0, 400.0)
    app.desk.viewport.set_rendering(window, True, "Hot iron")
    app.desk.mpr.toggle()
    settle(qtbot, app)
    assert app.desk.mpr.shown
    shades = [(one.window, one.inverted, one.color_map) for one in app.desk.layout.viewports]
    assert shades == [(window, True, "Hot iron")] * 4
    app.desk.mpr.toggle()
    settle(qtbot, app)
    back = app.desk.viewport
    assert (back.window, back.inverted, back.color_map) == (window, True, "Hot iron")
    assert back.picture is not None
    assert back.picture.inverted


def test_two_linked_viewports_come_back_each_at_its_own_window(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, POSITIONS, FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    app.desk.layout.set_grid(1, 2)
    left, right = app.desk.layout.viewports
    right.show(left.study, left.series)
    settle(qtbot, app)
    windows = Window(40.0, 400.0), Window(-600.0, 1500.0)
    for viewport, window in zip((left, right), windows):
        viewport.set_window(window)
    app.desk.links.toggle()
    for _ in range(2):
        app.desk.mpr.toggle()
        settle(qtbot, app)
    assert not app.desk.mpr.shown
    assert (left.window, right.window) == windows
