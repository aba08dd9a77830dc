"""Two series beside each other, and layouts that fill themselves."""

from pathlib import Path

from pydicom.uid import generate_uid
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.formatting import readable_name, series_title
from desktop.state.studies.browser import study_label
from tests.desktop.conftest import dicom, open_paths, settle
from tests.desktop.state.studies.test_browser import copy_of


def trigger(qtbot: QtBot, app: App, name: str) -> None:
    action = app.actions.actions[name]
    qtbot.waitUntil(action.isEnabled)
    action.trigger()
    settle(qtbot, app)


def test_another_study_is_compared_beside_the_one_in_use(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    first = app.desk.viewport.series
    other = next(one for study in app.desk.studies.studies for one in study.series if one is not first)
    trigger(qtbot, app, "compare_with_series")
    chooser = app.window.chooser
    assert chooser is not None
    assert [choice.text for choice in chooser.shown()] == [f"2004-01-19  {series_title(other)}"]
    chooser.shown()[0].run()
    chooser.close()
    settle(qtbot, app)
    left, right = app.desk.layout.viewports
    assert left is app.desk.viewport
    assert left.series is first
    assert right.series is other
    assert right.picture is not None
    assert app.desk.links.linked


def test_the_list_names_the_patient_unless_patient_data_is_hidden(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"), dicom("MR_small.dcm"))
    active = app.desk.viewport.study
    assert active is not None
    (other,) = (study for study in app.desk.studies.studies if study is not active)
    named = f"{readable_name(other.patient.name)} · {other.description}"
    assert study_label(other, active, patient_data_visible=True) == named
    assert study_label(other, active, patient_data_visible=False) == f"another patient · {other.description}"
    assert study_label(active, active, patient_data_visible=False) == active.description
    app.window.choose_comparison()
    assert app.window.chooser is not None
    assert named in app.window.chooser.shown()[0].context
    app.window.chooser.close()


def test_with_one_series_there_is_nothing_to_compare(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    assert not app.actions.actions["compare_with_series"].isEnabled()


def test_a_larger_layout_shows_the_series_that_follow_in_the_study(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    numbers = range(1, 5)
    paths = [
        copy_of("CT_small.dcm", tmp_path, SeriesInstanceUID=str(generate_uid()), SeriesNumber=str(number))
        for number in numbers
    ]
    open_paths(qtbot, app, *paths, dicom("MR_small.dcm"))
    study = next(study for study in app.desk.studies.studies if len(study.series) == 4)
    app.desk.viewport.show(study, study.series[1])
    trigger(qtbot, app, "grid_2x2")
    shown = [viewport.series and viewport.series.number for viewport in app.desk.layout.viewports]
    assert shown == [2, 3, 4, None]  # never another patient's
    trigger(qtbot, app, "grid_1x1")
    trigger(qtbot, app, "grid_1x2")
    assert [viewport.series and viewport.series.number for viewport in app.desk.layout.viewports] == [2, 3]
