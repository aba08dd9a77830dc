"""The selected case: opened in a window, query words marked, copied with its source, by keyboard alone."""

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.views.similar.case_view import CaseWindow
from tests.desktop.conftest import settle


def test_the_matching_image_of_the_selected_case_is_shown(qtbot: QtBot, found: App) -> None:
    selected_case = found.desk.search.selected_case
    assert selected_case.image is not None
    assert (selected_case.number, int(selected_case.image[0, 0])) == (1, 61)
    assert selected_case.caption().startswith("image 2 of 2, W 400 L 40")
    qtbot.keyClick(found.window.search_panel.detail.image, Qt.Key.Key_Left)
    settle(qtbot, found)
    assert (selected_case.number, int(selected_case.image[0, 0])) == (0, 60)
    qtbot.keyClick(found.window.search_panel.detail.image, Qt.Key.Key_Left)
    assert selected_case.number == 0


def test_the_words_of_the_query_are_marked_in_the_full_text(found: App) -> None:
    text = found.window.search_panel.detail.text
    marks = [mark.cursor.selectedText() for mark in text.extraSelections()]
    assert marks[0] == "effusion"
    assert "Source: example.org; CC BY" in text.toPlainText()


def test_a_case_opens_in_a_window_and_page_keys_select_the_next(qtbot: QtBot, found: App) -> None:
    panel = found.window.search_panel
    panel.detail.open.click()
    window = panel.findChild(CaseWindow)
    assert isinstance(window, CaseWindow)
    assert window.isVisible()
    assert "Hit 1 of 2" in window.hit_number.text()
    found.desk.search.select_next(1)
    settle(qtbot, found)
    assert window.view.text.toPlainText().startswith("Normal.")
    assert "Hit 2 of 2" in window.hit_number.text()
    found.desk.search.select_next(1)
    assert found.desk.search.selected == found.desk.search.hits[1]
    window.close()


def test_a_hit_is_copied_with_its_source(found: App) -> None:
    found.window.search_panel.detail.copy.click()
    copied = QGuiApplication.clipboard().text()
    assert copied.startswith("Large left effusion.")
    assert "Case 1" in copied
    assert "example.org; CC BY" in copied


def test_a_case_without_an_image_is_report_only(qtbot: QtBot, found: App) -> None:
    found.desk.search.select(found.desk.search.hits[1])
    settle(qtbot, found)
    assert found.desk.search.selected_case.image is None
    assert found.desk.search.selected_case.caption() == "Report only"


def test_down_goes_from_the_text_to_the_hits(qtbot: QtBot, found: App) -> None:
    panel = found.window.search_panel
    found.window.activateWindow()
    panel.text.setFocus()
    qtbot.keyClick(panel.text, Qt.Key.Key_Down)
    qtbot.waitUntil(panel.hits.hasFocus)


def test_the_filter_fields_fill_the_form_and_clear_empties_them(found: App) -> None:
    filters, search = found.window.search_panel.filters, found.desk.search
    filters.sex.setCurrentIndex(filters.sex.findData("F"))
    filters.age.setText("40-60")
    assert (search.form.sex, search.form.age) == ("F", "40-60")
    filters.clear.click()
    assert search.form == replace(search.form, sex="", age="")
    assert filters.age.text() == ""
    assert not filters.clear.isEnabled()
