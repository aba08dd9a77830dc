"""Viewports in a grid: which there are, which is active, what each keeps, and what search and report follow."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop import theme
from desktop.app import App
from desktop.state.studies.studies import identify
from desktop.views.viewer.viewport import SERIES
from tests.desktop.conftest import dicom, open_paths, settle
from tests.engine.dicom_samples import derive_stack


def two_studies(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("emri_small.dcm"))


def series_id(app: App, modality: str) -> str:
    return next(
        identify(study, series)
        for study in app.desk.studies.studies
        for series in study.series
        if series.modality == modality
    )


@pytest.mark.parametrize(("wanted", "given"), [((2, 3), (2, 3)), ((3, 3), (3, 3)), ((0, 9), (1, 3))])
def test_a_grid_has_a_view_for_each_cell(app: App, wanted: tuple[int, int], given: tuple[int, int]) -> None:
    app.desk.layout.set_grid(*wanted)
    assert (app.desk.layout.rows, app.desk.layout.columns) == given
    views = app.window.grid.views
    assert len(views) == given[0] * given[1]
    assert all(view.isVisible() for view in views)
    places = {(view.y(), view.x()) for view in views}
    assert len({y for y, _ in places}) == given[0]
    assert len({x for _, x in places}) == given[1]


def test_a_click_makes_a_viewport_active_and_its_border_shows_it(qtbot: QtBot, app: App) -> None:
    app.desk.layout.set_grid(1, 2)
    first, second = app.window.grid.views
    qtbot.mousePress(second, Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(second, Qt.MouseButton.LeftButton)
    assert app.desk.viewport is second.state
    assert border(second.grab().toImage()) == QColor(theme.ON_IMAGE_ACCENT)
    assert border(first.grab().toImage()) == QColor(theme.ON_IMAGE_LINE)


def border(image: QImage) -> QColor:
    return image.pixelColor(0, image.height() // 2)


def test_a_series_goes_to_the_active_viewport_and_the_others_keep_theirs(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    shown = first.series
    app.desk.layout.activate(second)
    other = series_id(app, "MR" if shown and shown.modality == "CT" else "CT")
    app.desk.studies.select(other)
    settle(qtbot, app)
    assert first.series is shown
    assert second.picture is not None
    assert second.series is not shown


def test_search_and_report_follow_the_active_viewport(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    app.desk.layout.activate(second)
    app.desk.show_series_in(second, series_id(app, "CT" if first.series and first.series.modality == "MR" else "MR"))
    settle(qtbot, app)
    for viewport in (first, second):
        with qtbot.waitSignal(app.desk.layout.active_proxy.picture_changed):
            app.desk.layout.activate(viewport)
        assert viewport.study is not None
        assert app.desk.layout.active_proxy.picture is viewport.picture
        assert app.desk.report.page is not None
        assert app.desk.report.page.study == viewport.study.uid
        assert app.desk.studies.series is viewport.series


def test_going_to_another_viewport_changes_nothing_that_is_shown(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    first.zoom_by(2)
    view = first.view
    app.desk.show_series_in(second, series_id(app, "CT"))
    app.desk.layout.activate(first)
    settle(qtbot, app)
    assert first.view == view


@pytest.mark.parametrize("by", ["click", "Enter"])
def test_the_chosen_series_is_shown_a_second_time_in_another_cell(qtbot: QtBot, app: App, by: str) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.set_grid(1, 2)
    first, second = app.desk.layout.viewports
    app.desk.layout.activate(second)
    shown, row = app.window.series_list.list, app.window.series_list.list.currentIndex()
    assert row.isValid()
    if by == "click":
        qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=shown.visualRect(row).center())
    else:
        qtbot.keyClick(shown, Qt.Key.Key_Return)
    settle(qtbot, app)
    assert second.series is first.series is app.desk.studies.series
    assert second.picture is not None


def test_a_series_dropped_on_a_cell_is_shown_there(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(2, 2)
    model = app.window.series_list.model
    row = next(number for number, row in enumerate(model.rows) if row.series and row.series.modality == "MR")
    mime: QMimeData = model.mimeData([model.index(row)])
    assert mime.formats() == [SERIES]
    cell = app.window.grid.views[3]
    where, button, keys = QPointF(20, 20), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), Qt.DropAction.CopyAction, mime, button, keys)
    QApplication.sendEvent(cell, enter)
    assert enter.isAccepted()
    drop = QDropEvent(where, Qt.DropAction.CopyAction, mime, button, keys)
    QApplication.sendEvent(cell, drop)
    settle(qtbot, app)
    assert cell.state.series is model.rows[row].series
    assert cell.state.picture is not None
    assert app.desk.viewport is cell.state


def test_a_double_click_fills_the_window_and_the_next_one_goes_back(qtbot: QtBot, app: App) -> None:
    app.desk.layout.set_grid(2, 2)
    views = app.window.grid.views
    place = QPoint(40, 40)
    qtbot.mouseDClick(views[2], Qt.MouseButton.LeftButton, pos=place)
    assert [view.isVisible() for view in views] == [False, False, True, False]
    qtbot.mouseDClick(views[2], Qt.MouseButton.LeftButton, pos=place)
    assert all(view.isVisible() for view in views)


def test_a_smaller_grid_keeps_the_viewport_in_use(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(2, 2)
    last = app.desk.layout.viewports[3]
    app.desk.show_series_in(last, series_id(app, "MR"))
    app.desk.layout.set_grid(1, 1)
    assert app.desk.viewport is last
    assert app.window.grid.views[0].state is last


def test_a_smaller_grid_keeps_an_image_when_the_viewport_in_use_is_empty(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    layout, shown = app.desk.layout, app.desk.viewport
    layout.set_grid(1, 2)
    layout.activate(layout.viewports[1])
    layout.set_grid(2, 2)
    assert layout.active is layout.viewports[1]  # to be filled
    layout.set_grid(1, 1)
    assert layout.viewports == [shown]
    assert layout.active is shown


def test_patient_data_is_hidden_in_every_viewport_also_in_a_new_one(app: App) -> None:
    app.desk.layout.set_grid(1, 2)
    app.desk.layout.toggle_patient_data()
    app.desk.layout.set_grid(2, 2)
    assert [viewport.patient_data_visible for viewport in app.desk.layout.all_viewports] == [False] * 4


def test_closing_everything_empties_every_viewport(qtbot: QtBot, app: App) -> None:
    two_studies(qtbot, app)
    app.desk.layout.set_grid(1, 2)
    app.desk.show_series_in(app.desk.layout.viewports[1], series_id(app, "MR"))
    settle(qtbot, app)
    app.desk.studies.close_all()
    assert [viewport.series for viewport in app.desk.layout.all_viewports] == [None, None]


def test_a_series_that_grew_stays_on_its_frame(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    from dataclasses import replace

    open_paths(qtbot, app, dicom("emri_small.dcm"))
    viewport = app.desk.viewport
    assert viewport.study is not None
    assert viewport.series is not None
    whole, window = viewport.series, viewport.presets
    viewport.show(viewport.study, replace(whole, frames=whole.frames[4:8]))
    settle(qtbot, app)
    viewport.go_to(2)
    viewport.zoom_by(2)
    settle(qtbot, app)
    view = viewport.view
    viewport.update_series(viewport.study, whole)
    assert viewport.index == 6
    assert viewport.picture is not None
    assert viewport.picture.index == 6
    assert (viewport.view, viewport.presets) == (view, window)


def test_only_a_layout_that_was_chosen_is_kept_for_later_sessions(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    derive_stack(tmp_path, [0.0, 5.0, 10.0], FrameOfReferenceUID="1.2.3")
    open_paths(qtbot, app, tmp_path, dicom("emri_small.dcm"))
    kept = app.desk.settings
    study = app.desk.studies.studies[-1]
    app.desk.compare_with(study, study.series[0])
    assert len(app.desk.layout.viewports) == 2
    assert kept.now.grid == (1, 1)
    app.actions.actions["grid_1x3"].trigger()
    assert kept.now.grid == (1, 3)
    app.desk.studies.select(series_id(app, "CT"))
    settle(qtbot, app)
    app.actions.actions["mpr"].trigger()
    settle(qtbot, app)
    assert app.desk.mpr.shown
    assert kept.now.grid == (1, 3)
