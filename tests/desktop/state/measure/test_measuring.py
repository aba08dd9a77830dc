"""Every measuring tool in the real window on real files: spacing, letters, handles, undo, storage, MPR."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.viewer import geometry
from desktop.state.viewer.annotations import annotate
from engine.measure.measurements import Measurement
from engine.measure.readings import Reading, lines
from engine.study import Point
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import dataset, derive, derive_stack

LEFT = Qt.MouseButton.LeftButton


def screen_point(app: App, point: Point) -> QPoint:
    """An image point in the active viewport, rounded to screen pixels."""
    state = app.desk.viewport
    assert state.shape is not None
    x, y = geometry.to_screen(state.view, state.shape, point)
    return QPoint(round(x), round(y))


def image_point(app: App, where: QPoint) -> Point:
    point = app.desk.viewport.to_image((where.x(), where.y()))
    assert point is not None
    return point


def choose(qtbot: QtBot, app: App, key: Qt.Key) -> None:
    app.window.viewport.setFocus()
    qtbot.keyClick(app.window.viewport, key)


def drag(qtbot: QtBot, app: App, points: Sequence[QPoint]) -> None:
    view = app.window.viewport
    qtbot.mousePress(view, LEFT, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(view, point)
    qtbot.mouseRelease(view, LEFT, pos=points[-1])


def click(qtbot: QtBot, app: App, where: QPoint) -> None:
    qtbot.mouseClick(app.window.viewport, LEFT, pos=where)


def last(app: App) -> tuple[Measurement, Reading]:
    item = app.desk.measurements.of_study()[-1]
    picture = app.desk.viewport.picture
    assert picture is not None
    reading = app.desk.measurements.reading(item, picture.ref, picture.pixels)
    assert reading is not None
    return item, reading


def centre(app: App, right: int = 0, down: int = 0) -> QPoint:
    return app.window.viewport.rect().center() + QPoint(right, down)


TURNS = [(0, None), (1, None), (2, None), (3, None), (0, True), (0, False), (1, True), (3, False)]


@pytest.mark.parametrize(("turns", "flip"), TURNS)
def test_a_length_on_oblique_mr_is_the_same_however_the_image_is_rotated(
    qtbot: QtBot, app: App, turns: int, flip: bool | None
) -> None:
    open_paths(qtbot, app, dicom("MR2_UNCI.dcm"))
    app.desk.viewport.rotate(turns)
    if flip is not None:
        app.desk.viewport.flip(flip)
    choose(qtbot, app, Qt.Key.Key_D)
    ends = [screen_point(app, (200.0, 300.0)), screen_point(app, (700.0, 500.0))]
    drag(qtbot, app, ends)
    item, reading = last(app)
    (x0, y0), (x1, y1) = (image_point(app, end) for end in ends)
    assert item.points == (pytest.approx((x0, y0)), pytest.approx((x1, y1)))
    spacing = float(dataset("MR2_UNCI.dcm").PixelSpacing[0])
    assert reading.length == pytest.approx(math.hypot(x1 - x0, y1 - y0) * spacing)
    assert reading.length == pytest.approx(math.hypot(500, 200) * spacing, rel=0.01)
    assert reading.spacing.unit == "mm"


@pytest.mark.parametrize(
    ("turns", "flip", "letters"),
    [
        (0, None, ("AR", "H", "PL", "F")),
        (1, None, ("F", "AR", "H", "PL")),
        (2, None, ("PL", "F", "AR", "H")),
        (3, None, ("H", "PL", "F", "AR")),
        (0, True, ("PL", "H", "AR", "F")),
        (0, False, ("AR", "F", "PL", "H")),
        (1, True, ("H", "AR", "F", "PL")),
    ],
)
def test_letters_of_oblique_mr_follow_rotation_and_flips(
    qtbot: QtBot, app: App, turns: int, flip: bool | None, letters: tuple[str, ...]
) -> None:
    open_paths(qtbot, app, dicom("MR2_UNCI.dcm"))
    app.desk.viewport.rotate(turns)
    if flip is not None:
        app.desk.viewport.flip(flip)
    assert annotate(app.desk.viewport).edges == letters


def test_a_radiograph_without_spacing_is_measured_in_pixels(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("RG3_UNCI.dcm"))
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [screen_point(app, (300.0, 300.0)), screen_point(app, (900.0, 300.0))])
    _, reading = last(app)
    assert (reading.spacing.unit, reading.spacing.description) == ("px", "no pixel spacing")
    assert reading.length == pytest.approx(600, abs=5)


def test_a_radiograph_with_imager_spacing_is_measured_at_the_detector(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, derive(tmp_path / "x.dcm", "RG3_UNCI.dcm", ImagerPixelSpacing=[0.2, 0.1]))
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [screen_point(app, (300.0, 300.0)), screen_point(app, (900.0, 300.0))])
    assert last(app)[1].length == pytest.approx(60, abs=1)
    drag(qtbot, app, [screen_point(app, (1000.0, 300.0)), screen_point(app, (1000.0, 900.0))])
    assert last(app)[1].length == pytest.approx(120, abs=1)
    assert last(app)[1].spacing.source == "imager"


def test_a_length_on_a_radiograph_without_a_stated_calibration_has_a_remark(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    open_paths(qtbot, app, derive(tmp_path / "x.dcm", "RG3_UNCI.dcm", PixelSpacing=[0.2, 0.1]))
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [screen_point(app, (300.0, 300.0)), screen_point(app, (900.0, 300.0))])
    assert lines(last(app)[1])[1:] == ("spacing calibration not stated",)


def test_a_length_can_be_drawn_click_by_click_and_cancelled_with_escape(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    choose(qtbot, app, Qt.Key.Key_D)
    click(qtbot, app, centre(app, -100, 0))
    qtbot.mouseMove(app.window.viewport, centre(app, 50, 30))
    assert app.desk.measurements.draft is not None
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Escape)
    assert app.desk.measurements.draft is None
    click(qtbot, app, centre(app, -100, 0))
    click(qtbot, app, centre(app, 100, 0))
    assert len(app.desk.measurements.of_study()) == 1


def test_an_angle_and_a_cobb_angle(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    choose(qtbot, app, Qt.Key.Key_A)
    drag(qtbot, app, [centre(app, 100, 0), centre(app)])
    click(qtbot, app, centre(app, 0, 100))
    assert last(app)[1].angle == pytest.approx(90, abs=0.5)
    choose(qtbot, app, Qt.Key.Key_B)
    drag(qtbot, app, [centre(app, -150, -150), centre(app, 150, -150)])
    drag(qtbot, app, [centre(app, 150, 250), centre(app, -150, 150)])
    assert last(app)[1].angle == pytest.approx(math.degrees(math.atan2(100, 300)), abs=0.5)


def test_rois_and_a_probe_read_hounsfield_units(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    source = dataset("CT_small.dcm")
    values = source.pixel_array * float(source.RescaleSlope) + float(source.RescaleIntercept)
    for key, kind in ((Qt.Key.Key_Q, "rectangle"), (Qt.Key.Key_E, "ellipse")):
        choose(qtbot, app, key)
        drag(qtbot, app, [screen_point(app, (20, 30)), screen_point(app, (60, 50))])
        item, reading = last(app)
        assert item.kind == kind
        assert reading.statistics is not None
        assert reading.statistics.unit == "HU"
        app.desk.measurements.delete(item.id)
    choose(qtbot, app, Qt.Key.Key_G)
    drag(qtbot, app, [screen_point(app, corner) for corner in ((20, 30), (60, 30), (60, 50), (20, 50), (20, 31))])
    item, reading = last(app)
    assert item.kind == "region"
    assert reading.statistics is not None
    assert reading.statistics.mean == pytest.approx(values[30:50, 20:60].mean(), abs=15)
    choose(qtbot, app, Qt.Key.Key_P)
    click(qtbot, app, screen_point(app, (100.5, 100.5)))
    assert last(app)[1].value == values[100, 100]


def test_a_handle_is_dragged_undone_redone_and_deleted(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [centre(app, -100, 0), centre(app, 100, 0)])
    before, _ = last(app)
    choose(qtbot, app, Qt.Key.Key_W)  # measurements can be edited whichever tool is chosen
    drag(qtbot, app, [centre(app, 100, 0), centre(app, 100, 80)])
    after, _ = last(app)
    assert after.id == before.id
    assert after.points[0] == before.points[0]
    assert after.points[1] == pytest.approx(image_point(app, centre(app, 100, 80)))
    drag(qtbot, app, [centre(app, 0, 40), centre(app, 20, 60)])  # its middle: all of it
    assert last(app)[0].points[0] != before.points[0]
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Z, control)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Z, control)
    assert last(app)[0] == before
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Y, control)
    assert last(app)[0] == after
    app.desk.measurements.select(after.id)
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Delete)
    assert app.desk.measurements.of_study() == ()
    qtbot.keyClick(app.window.viewport, Qt.Key.Key_Z, control)
    assert last(app)[0] == after


def test_measurements_are_stored_with_their_study(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [centre(app, -100, 0), centre(app, 100, 0)])
    settle(qtbot, app)
    drawn = app.desk.measurements.of_study()
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    settle(qtbot, again)
    open_paths(qtbot, again, dicom("CT_small.dcm"))
    assert again.desk.measurements.of_study() == drawn
    open_paths(qtbot, again, dicom("MR_small.dcm"))
    assert again.desk.measurements.of_study() == ()
    again.close()
    again.window.deleteLater()


def test_mpr_planes_are_linked_and_closed_again(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    stack = app.desk.viewport.series
    choose(qtbot, app, Qt.Key.Key_V)
    settle(qtbot, app)
    shown = app.desk.layout.viewports
    assert [viewport.series.part for viewport in shown[:3] if viewport.series] == ["Axial", "Coronal", "Sagittal"]
    assert [annotate(viewport).edges for viewport in shown[:3]] == [
        ("R", "A", "L", "P"),
        ("R", "H", "L", "F"),
        ("A", "H", "P", "F"),
    ]
    coronal = shown[1]
    assert coronal.shape is not None
    assert coronal.shape.spacing == pytest.approx((3, 0.661468))
    choose(qtbot, app, Qt.Key.Key_J)
    click(qtbot, app, screen_point(app, (30.5, 90.5)))
    settle(qtbot, app)
    assert (shown[1].index, shown[2].index) == (90, 127 - 30)  # sagittal planes run from left to right
    choose(qtbot, app, Qt.Key.Key_V)
    settle(qtbot, app)
    assert app.desk.viewport.series is stack
    assert not app.desk.mpr.shown


def test_closing_mpr_restores_the_comparison(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path, dicom("MR_small.dcm"))
    app.actions.actions["grid_1x2"].trigger()
    stack, other = app.desk.layout.viewports
    found = [(one, one.series[0]) for one in app.desk.studies.studies]
    (second, beside), (study, series) = sorted(found, key=lambda pair: len(pair[1].frames))
    stack.show(study, series)
    other.show(second, beside)
    settle(qtbot, app)
    app.desk.layout.activate(stack)
    stack.go_to(2)
    stack.zoom_by(2.0)
    settle(qtbot, app)
    zoomed = stack.view
    choose(qtbot, app, Qt.Key.Key_V)
    settle(qtbot, app)
    assert app.desk.mpr.shown
    choose(qtbot, app, Qt.Key.Key_V)
    settle(qtbot, app)
    assert [viewport.series for viewport in app.desk.layout.viewports] == [series, beside]
    assert (stack.index, stack.view) == (2, zoomed)
    assert app.desk.viewport is stack


def test_closing_mpr_from_another_plane_restores_the_stack(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 9], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path)
    stack = app.desk.viewport.series
    app.actions.actions["mpr"].trigger()
    settle(qtbot, app)
    app.desk.layout.activate(app.desk.layout.viewports[1])
    app.actions.actions["mpr"].trigger()
    settle(qtbot, app)
    assert [viewport.series for viewport in app.desk.layout.viewports] == [stack]


def test_mpr_of_an_uneven_stack_is_refused_with_the_reason(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0, 3, 6, 12])
    open_paths(qtbot, app, tmp_path)
    choose(qtbot, app, Qt.Key.Key_V)
    message = app.desk.messages.message
    assert message is not None
    assert "1 slice is missing" in message.text


def test_overlays_scale_and_measurements_are_painted(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("examples_overlay.dcm"))
    plain = app.window.viewport.grab().toImage()
    choose(qtbot, app, Qt.Key.Key_D)
    drag(qtbot, app, [centre(app, -100, 0), centre(app, 100, 0)])
    measured = app.window.viewport.grab().toImage()
    line = [measured.pixelColor(centre(app, x, 0)) for x in range(-80, 80, 10)]
    assert sum(color.red() > color.blue() + 40 for color in line) > 10  # the chosen one is amber
    assert measured != plain
    app.desk.measurements.set_visible(False)
    assert app.desk.measurements.on(app.desk.viewport) == ()
