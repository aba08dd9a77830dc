"""A series is shown again as it was last shown, for as long as it is open."""

from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.image.voi import Window
from tests.desktop.conftest import dicom, open_paths, settle


def test_frame_window_zoom_and_pan_come_back_with_the_series(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"), dicom("CT_small.dcm"))
    viewport, studies = app.desk.viewport, app.desk.studies.studies
    mr = next(study for study in studies if len(study.series[0].frames) == 10)
    ct = next(study for study in studies if study is not mr)
    viewport.show(mr, mr.series[0])
    settle(qtbot, app)
    viewport.go_to(4)
    viewport.set_rendering(Window(300, 500, "LINEAR"), True, "Hot iron")
    viewport.zoom_by(2)
    viewport.pan_by(12, -7)
    viewport.rotate(1)
    settle(qtbot, app)
    view = viewport.view
    viewport.show(ct, ct.series[0])
    settle(qtbot, app)
    assert (viewport.index, viewport.window, viewport.inverted, viewport.color_map) == (0, None, False, "")
    assert viewport.view.scale is None
    viewport.show(mr, mr.series[0])
    settle(qtbot, app)
    assert viewport.picture is not None
    assert viewport.picture.index == 4
    assert viewport.picture.window == Window(300, 500, "LINEAR")
    assert (viewport.inverted, viewport.color_map, viewport.view) == (True, "Hot iron", view)
    viewport.show(ct, ct.series[0])
    viewport.show(mr, mr.series[0], 2)  # as for a prior: this frame
    assert viewport.index == 2
    settle(qtbot, app)


def test_a_closed_series_is_forgotten(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"), dicom("CT_small.dcm"))
    mr = next(study for study in app.desk.studies.studies if len(study.series[0].frames) == 10)
    app.desk.viewport.show(mr, mr.series[0])
    app.desk.viewport.go_to(4)
    app.desk.studies.close(mr.uid)
    settle(qtbot, app)
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    mr = next(study for study in app.desk.studies.studies if len(study.series[0].frames) == 10)
    app.desk.viewport.show(mr, mr.series[0])
    assert app.desk.viewport.index == 0
    settle(qtbot, app)
