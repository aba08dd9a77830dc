"""The study list: what is found by typing, the orders, and what it says of reports."""

from pathlib import Path

import pytest
from pydicom.uid import generate_uid
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from engine.study import Study
from tests.desktop.conftest import open_paths, settle, sign
from tests.desktop.state.studies.test_browser import copy_of


@pytest.fixture
def three(qtbot: QtBot, app: App, tmp_path: Path) -> App:
    """Studies of Müller (2019), Abel (2021) and nobody (2020), opened in this order."""
    for name, number, date, said in (
        ("M\u00fcller^Zoe", "77", "20190105", "Chest"),
        ("Abel^Ann", "9", "20210203", "Knee"),
        ("", "", "20200304", "Head"),
    ):
        uids = {"StudyInstanceUID": str(generate_uid()), "SeriesInstanceUID": str(generate_uid())}
        about = {"PatientName": name, "PatientID": number, "StudyDate": date, "StudyDescription": said}
        open_paths(qtbot, app, copy_of("CT_small.dcm", tmp_path, SpecificCharacterSet="ISO_IR 192", **about, **uids))
    return app


def listed(app: App) -> list[str]:
    """Descriptions of the listed studies."""
    rows = app.window.series_list.model.rows
    return list(dict.fromkeys(row.study.description for row in rows if not row.patient_studies))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("muller", ["Chest"]),
        ("ABEL", ["Knee"]),
        ("77", ["Chest"]),
        ("2020-03", ["Head"]),
        ("20210203", ["Knee"]),
        ("knee abel", ["Knee"]),
        ("knee muller", []),
        ("ct", ["Chest", "Knee", "Head"]),
        ("  ", ["Chest", "Knee", "Head"]),
    ],
)
def test_typing_finds_studies_by_name_id_description_modality_and_date(
    three: App, typed: str, found: list[str]
) -> None:
    three.window.series_list.search.text.setText(typed)
    assert listed(three) == found


def test_hidden_patient_data_is_not_searched(three: App) -> None:
    three.window.series_list.search.text.setText("abel")
    assert listed(three) == ["Knee"]
    three.desk.layout.toggle_patient_data()
    assert listed(three) == []
    three.window.series_list.search.text.setText("knee")
    assert listed(three) == ["Knee"]


@pytest.mark.parametrize(
    ("order", "first_to_last"),
    [
        ("opened", ["Chest", "Knee", "Head"]),
        ("date", ["Knee", "Head", "Chest"]),
        ("name", ["Knee", "Chest", "Head"]),
        ("id", ["Chest", "Knee", "Head"]),
    ],
)
def test_studies_are_sorted_and_the_order_is_kept(three: App, order: str, first_to_last: list[str]) -> None:
    three.actions.actions[f"sort_by_{order}"].trigger()
    assert listed(three) == first_to_last
    assert [key for key, one in three.window.series_list.search.orders.items() if one.isChecked()] == [order]
    assert three.desk.settings.now.study_order == order


def test_an_unknown_order_of_the_settings_is_the_order_of_opening(three: App) -> None:
    three.desk.settings.change(study_order="by mood")
    assert three.desk.study_list.order == "opened"
    assert listed(three) == ["Chest", "Knee", "Head"]


def test_the_field_is_reached_and_left_by_keys(qtbot: QtBot, three: App) -> None:
    browser = three.window.series_list
    three.actions.actions["search_studies"].trigger()
    qtbot.waitUntil(browser.search.text.hasFocus)
    qtbot.keyClicks(browser.search.text, "kneex")
    assert browser.search.found.text() == "No open study matches."
    qtbot.keyClick(browser.search.text, Qt.Key.Key_Backspace)
    assert browser.search.found.text() == "1 of 3 studies"
    qtbot.keyClick(browser.search.text, Qt.Key.Key_Down)
    qtbot.waitUntil(browser.list.hasFocus)
    browser.search.focus_text()
    qtbot.keyClick(browser.search.text, Qt.Key.Key_Escape)
    assert listed(three) == ["Chest", "Knee", "Head"]


@pytest.mark.parametrize("key", [Qt.Key.Key_Down, Qt.Key.Key_Return])
def test_a_search_highlights_no_series_that_is_not_shown_and_its_keys_show_the_first_found(
    qtbot: QtBot, three: App, key: Qt.Key
) -> None:
    browser, studies = three.window.series_list, three.desk.studies
    assert studies.study is not None
    assert studies.study.description != "Knee"
    three.actions.actions["search_studies"].trigger()
    qtbot.waitUntil(browser.search.text.hasFocus)
    qtbot.keyClicks(browser.search.text, "knee")
    assert not browser.list.selectionModel().hasSelection()
    assert not browser.list.currentIndex().isValid()
    qtbot.keyClick(browser.search.text, key)
    assert studies.study.description == "Knee"
    assert browser.model.rows[browser.list.currentIndex().row()].series is studies.series
    settle(qtbot, three)
    assert three.desk.viewport.series is studies.series


def test_next_series_follows_the_list_as_it_is_sorted_and_filtered(three: App) -> None:
    three.desk.study_list.sort("date")
    shown: list[str] = []
    for _ in range(3):
        study = three.desk.studies.study
        shown.append(study.description if study else "")
        three.actions.actions["previous_series"].trigger()
    assert shown == ["Head", "Knee", "Knee"]
    three.desk.study_list.search("chest")
    three.actions.actions["next_series"].trigger()
    assert three.desk.studies.study is not None
    assert three.desk.studies.study.description == "Chest"


def status(app: App, study: Study) -> str:
    model = app.window.series_list.model
    row = next(row for row in model.rows if row.study.uid == study.uid and not row.patient_studies)
    return model.status(row)


def test_each_study_says_what_its_report_waits_for(qtbot: QtBot, three: App, tmp_path: Path) -> None:
    first, second, _ = three.desk.studies.studies
    model = three.window.series_list.model
    assert [status(three, study) for study in (first, second)] == ["", ""]
    three.desk.study_list.sort("report")
    for study, signed in ((first, False), (second, True)):
        three.desk.studies.select(f"{study.uid}/{study.series[0].key}")
        settle(qtbot, three)
        three.desk.report.edit("No focal consolidation.")
        three.desk.report.save()
        settle(qtbot, three)
        if signed:
            sign(three)
            settle(qtbot, three)
    assert (status(three, first), status(three, second)) == ("edited", "waiting")
    assert listed(three) == ["Chest", "Head", "Knee"]
    rows = [index for index, row in enumerate(model.rows) if model.status(row)]
    assert "Waiting" in str(model.data(model.index(rows[-1])))
    three.close()
    again = build(tmp_path / "workspace")
    again.desk.report.open_workspace()
    for study in (first, second):
        open_paths(qtbot, again, Path(study.series[0].frames[0].image.name))
    settle(qtbot, again)
    assert again.desk.report.statuses.of(second.uid) == "waiting"
    assert again.desk.report.statuses.of(first.uid) == "edited"
    again.close()
    again.window.deleteLater()


def test_a_report_that_was_emptied_again_counts_as_none(qtbot: QtBot, three: App) -> None:
    study = three.desk.studies.study
    assert study is not None
    three.desk.report.edit("Normal.")
    three.desk.report.save()
    settle(qtbot, three)
    assert status(three, study) == "edited"
    three.desk.report.edit("")
    three.desk.report.save()
    settle(qtbot, three)
    assert status(three, study) == ""
