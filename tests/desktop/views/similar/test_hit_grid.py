"""The hits as a grid of pictures: two directions, words in place of a missing picture, and remembered."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from tests.desktop.conftest import settle
from tests.desktop.views.similar.conftest import hit

HITS = 8


@pytest.fixture
def grid(qtbot: QtBot, found: App) -> App:
    """Eight hits as a grid, every second one a report only."""
    search, hits = found.desk.search, found.window.search_panel.hits
    search.hits = [hit(1 + n % 2, f"Finding {n}.", None if n % 2 else 2) for n in range(HITS)]
    search.hits_changed.emit()
    search.select(search.hits[0])
    found.actions.actions["hit_grid"].trigger()
    settle(qtbot, found)
    qtbot.waitUntil(lambda: hits.visualRect(hits.model().index(1, 0)).left() > 50)
    return found


def columns(app: App) -> int:
    """How many tiles stand beside each other."""
    hits = app.window.search_panel.hits
    tops = [hits.visualRect(hits.model().index(row, 0)).top() for row in range(HITS)]
    return tops.count(tops[0])


def test_tiles_of_one_size_fill_the_width(grid: App) -> None:
    hits = grid.window.search_panel.hits
    sizes = {hits.visualRect(hits.model().index(row, 0)).size().toTuple() for row in range(HITS)}
    ((width, _),) = sizes
    assert columns(grid) >= 2
    assert hits.viewport().width() - columns(grid) * width < width


def test_the_arrow_keys_go_in_two_directions(qtbot: QtBot, grid: App) -> None:
    hits, search = grid.window.search_panel.hits, grid.desk.search
    for key, expected in (
        (Qt.Key.Key_Right, 1),
        (Qt.Key.Key_Down, 1 + columns(grid)),
        (Qt.Key.Key_Left, columns(grid)),
        (Qt.Key.Key_Up, 0),
    ):
        qtbot.keyClick(hits, key)
        assert search.selected is search.hits[expected]
    qtbot.keyClick(hits, Qt.Key.Key_Return)
    settle(qtbot, grid)
    assert grid.desk.comparison.case_id == 1


def test_it_is_remembered_and_the_rows_come_back(qtbot: QtBot, grid: App, tmp_path: Path) -> None:
    again = build(tmp_path / "workspace")
    assert again.window.search_panel.show_grid.isChecked()
    again.close()
    again.window.deleteLater()
    grid.window.search_panel.show_grid.click()
    hits = grid.window.search_panel.hits
    qtbot.waitUntil(lambda: hits.visualRect(hits.model().index(1, 0)).left() < 50)
    assert not grid.desk.settings.now.hit_grid


def test_the_button_leads_from_the_map_to_the_grid(qtbot: QtBot, grid: App) -> None:
    panel = grid.window.search_panel
    panel.show_space.click()
    assert not panel.show_grid.isChecked()
    panel.show_grid.click()
    assert panel.hits.isVisible()
    assert panel.show_grid.isChecked()


def test_pointing_at_a_picture_tells_the_words_of_its_report_in_short_lines(grid: App) -> None:
    search, hits = grid.desk.search, grid.window.search_panel.hits
    search.hits[0] = replace(search.hits[0], text="Effusion. " * 100)
    *words, score = hits.model().index(0, 0).data(Qt.ItemDataRole.ToolTipRole).splitlines()
    assert words[0].startswith("Effusion. Effusion.")
    assert words[-1].endswith("…")
    assert max(map(len, words)) <= 80
    assert score == "Score 2.000, cosine 0.400: Similar wording"


def test_a_prior_is_said_to_be_one_where_no_heading_does(grid: App) -> None:
    search, hits = grid.desk.search, grid.window.search_panel.hits
    search.hits[0] = replace(search.hits[0], prior=True)
    assert "prior of this patient" in hits.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
