"""Words of the selected case go into the report, marked with the case."""

from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.reports.document import provenance
from tests.desktop.conftest import dicom, open_paths


def test_the_selected_words_of_a_case_go_into_the_report_marked_with_it(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    text, page = found.window.search_panel.detail.text, found.desk.report.page
    assert page is not None
    cursor = QTextCursor(text.document())
    cursor.setPosition(6)
    cursor.setPosition(19, QTextCursor.MoveMode.KeepAnchor)
    text.setTextCursor(cursor)
    found.actions.actions["insert_case_text"].trigger()
    assert page.text == "left effusion"
    assert provenance(page.document)[0] == 'Accepted unchanged, from case 1 in archive: "left effusion"'
    (check,) = found.desk.checking.checks
    assert check.message == 'Taken over from case 1 in archive: "left" not confirmed for this patient.'


def test_without_a_selection_the_whole_report_is_taken_over(qtbot: QtBot, found: App) -> None:
    open_paths(qtbot, found, dicom("CT_small.dcm"))
    found.actions.actions["insert_case_text"].trigger()
    assert found.desk.report.page is not None
    assert found.desk.report.page.text == "Large left effusion."
