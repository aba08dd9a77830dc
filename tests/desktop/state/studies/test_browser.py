"""The study browser: patients, their studies, their series, and what it keeps while a folder is read."""

from dataclasses import replace
from pathlib import Path

from pydicom import dcmread
from pydicom.uid import generate_uid
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.studies.browser import BrowserRow
from desktop.views.studies.series_list import difference
from tests.desktop.conftest import dicom, open_paths, settle


def copy_of(name: str, folder: Path, **changes: str) -> Path:
    """A file derived from a real one: another instance, and what is changed."""
    data = dcmread(dicom(name))
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    for keyword, value in changes.items():
        setattr(data, keyword, value)
    path = folder / f"{data.SOPInstanceUID}.dcm"
    data.save_as(path)
    return path


def words(app: App) -> list[tuple[str, str]]:
    model = app.window.series_list.model
    return [model.lines(row) for row in model.rows]


def test_a_patient_stands_over_all_their_studies_the_latest_first(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    uids = {"StudyInstanceUID": str(generate_uid()), "SeriesInstanceUID": str(generate_uid())}
    later = copy_of("CT_small.dcm", tmp_path, StudyDate="20200229", StudyDescription="Follow-up", **uids)
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    open_paths(qtbot, app, later)
    rows = app.window.series_list.model.rows
    assert [bool(row.patient_studies) for row in rows] == [True, False, False, False, False, True, False, False]
    titles = [title for title, _ in words(app)]
    assert titles[0] == "CompressedSamples, CT1"
    assert titles[1] == "2020-02-29 · Follow-up"
    assert titles[3].startswith("2004-01-19")
    assert titles[5] == "CompressedSamples, MR1"
    assert "2 studies" in words(app)[0][1]
    assert words(app)[1][1] == "CT · 1 series · 1 image"


def test_two_studies_without_a_patient_are_two_patients(qtbot: QtBot, app: App, tmp_path: Path) -> None:
    nobody = {"PatientName": "", "PatientID": ""}
    for _ in range(2):
        uids = {"StudyInstanceUID": str(generate_uid()), "SeriesInstanceUID": str(generate_uid())}
        open_paths(qtbot, app, copy_of("CT_small.dcm", tmp_path, **nobody, **uids))
    assert [title for title, _ in words(app)].count("Unnamed patient") == 2


def test_a_hidden_patient_is_named_nowhere_in_the_browser(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.desk.layout.toggle_patient_data()
    assert words(app)[0] == ("Patient data hidden", "1 study")
    assert not any("1CT1" in part or "Compressed" in part for line in words(app) for part in line)


def test_series_that_come_later_leave_the_chosen_row_and_the_place_of_the_list(
    qtbot: QtBot, app: App, tmp_path: Path
) -> None:
    paths = [copy_of("CT_small.dcm", tmp_path, SeriesInstanceUID=str(generate_uid())) for _ in range(14)]
    open_paths(qtbot, app, *paths)
    studies, model, shown = app.desk.studies, app.window.series_list.model, app.window.series_list.list
    whole = studies.studies[0]
    studies.studies = [replace(whole, series=whole.series[:12])]  # as it stands while the folder is read
    studies.changed.emit()
    assert len(model.rows) == 14
    shown.setCurrentIndex(model.index(8))
    shown.verticalScrollBar().setValue(200)
    chosen, place = studies.series, shown.verticalScrollBar().value()
    resets: list[object] = []
    model.modelReset.connect(lambda: resets.append(1))
    studies.studies = [whole]
    studies.changed.emit()
    assert len(model.rows) == 16
    assert model.rows[shown.currentIndex().row()].series is chosen
    assert shown.verticalScrollBar().value() == place > 0
    assert not resets


def test_the_arrow_keys_go_from_series_to_series_over_the_headings(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    shown, model = app.window.series_list.list, app.window.series_list.model
    series = [row.series for row in model.rows if row.series is not None]
    shown.setFocus()
    qtbot.waitUntil(shown.hasFocus)
    qtbot.keyClick(shown, Qt.Key.Key_Home)
    up, down, end = Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_End
    for key, expected in ((up, 0), (down, 1), (down, 1), (up, 0), (end, 1), (Qt.Key.Key_PageUp, 0)):
        qtbot.keyClick(shown, key)
        assert app.desk.studies.series is series[expected]
        assert [model.rows[index.row()].series for index in shown.selectedIndexes()] == [series[expected]]
    heading = shown.visualRect(model.index(3)).center()
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=heading)
    assert [index.row() for index in shown.selectedIndexes()] == [2]


def test_closing_the_study_with_the_chosen_row_goes_on_with_another(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    open_paths(qtbot, app, dicom("MR_small.dcm"))
    assert app.desk.studies.study is not None
    app.desk.studies.close(app.desk.studies.study.uid)
    settle(qtbot, app)
    rows = app.window.series_list.model.rows
    assert app.desk.studies.series is rows[-1].series
    assert app.window.series_list.list.currentIndex().row() == len(rows) - 1


def test_the_difference_of_two_lists_is_what_stands_between_their_common_ends() -> None:
    for old, new in (("", "abc"), ("abc", ""), ("abc", "abxc"), ("abxc", "abc"), ("aa", "aaa"), ("abc", "axyc")):
        start, end = difference(old, new)
        assert old[:start] == new[:start]
        assert old[len(old) - end :] == new[len(new) - end :]
        assert start + end <= min(len(old), len(new))
    assert difference("abxc", "abc") == (2, 1)


def test_what_was_opened_before_is_offered_while_nothing_is_open(qtbot: QtBot, app: App) -> None:
    empty = app.window.series_list.empty

    def shown() -> list[str]:
        return [button.text() for button in empty.recent if not button.isHidden()]

    assert shown() == []
    app.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, app)
    app.desk.studies.close_all()
    assert shown() == ["CT_small.dcm"]
    assert empty.isVisible()
    app.desk.layout.toggle_patient_data()
    assert "CT_small" not in empty.recent[0].text() + empty.recent[0].toolTip()
    qtbot.mouseClick(empty.recent[0], Qt.MouseButton.LeftButton)
    settle(qtbot, app)
    assert len(app.desk.studies.studies) == 1


def test_a_row_counts_what_is_still_being_read(qtbot: QtBot, app: App) -> None:
    open_paths(qtbot, app, dicom("emri_small.dcm"))
    study = app.desk.studies.studies[0]
    growing = replace(study.series[0], growing=True)
    model = app.window.series_list.model
    assert model.lines(BrowserRow(replace(study, series=(growing,))))[1].endswith("10 images so far")
    assert model.lines(BrowserRow(study, growing))[1].startswith("MR · 10 images so far")
