"""The map of the hits: dots that can be clicked, opened and walked through, and what it says without any."""

from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.image.archived import is_archived
from tests.desktop.conftest import settle
from tests.desktop.views.similar.test_refinement import asked as asked
from tests.desktop.views.similar.test_refinement import press


def at(app: App, number: int) -> QPoint:
    view = app.window.search_panel.space
    return view.point(app.desk.space.dots[number]).toPoint()


def test_a_dot_selects_its_hit_and_a_double_click_compares_it(qtbot: QtBot, asked: App) -> None:
    panel, desk = asked.window.search_panel, asked.desk
    press(qtbot, asked, "hit_map")
    assert panel.space.isVisible()
    assert not panel.hits.isVisible()
    assert [dot.case_id for dot in desk.space.dots] == [hit.case_id for hit in desk.search.hits]
    qtbot.mouseClick(panel.space, Qt.MouseButton.LeftButton, pos=at(asked, 2))
    assert desk.search.selected is desk.search.hits[2]
    pictured = next(n for n, hit in enumerate(desk.search.hits) if hit.image_id is not None)
    qtbot.mouseDClick(panel.space, Qt.MouseButton.LeftButton, pos=at(asked, pictured))
    settle(qtbot, asked)
    assert is_archived(desk.layout.viewports[1].series)
    assert desk.space.describe(desk.space.dots[0]).startswith(f"Case {desk.search.hits[0].case_id} (")
    press(qtbot, asked, "hit_map")
    assert panel.hits.isVisible()


def test_the_keys_walk_through_the_hits_by_rank(qtbot: QtBot, asked: App) -> None:
    press(qtbot, asked, "hit_map")
    view, search = asked.window.search_panel.space, asked.desk.search
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    assert search.selected is search.hits[2]
    qtbot.keyClick(view, Qt.Key.Key_Up)
    assert search.selected is search.hits[1]
    view.grab()
    settle(qtbot, asked)


def test_a_refined_query_is_mapped_again_and_exact_words_have_no_map(qtbot: QtBot, asked: App) -> None:
    press(qtbot, asked, "hit_map")
    before = asked.desk.space.dots
    asked.window.search_panel.refinement.share.setValue(18)
    settle(qtbot, asked)
    assert asked.desk.space.dots != before
    filters = asked.window.search_panel.filters
    filters.mode.setCurrentIndex(filters.mode.findData("lexical"))
    settle(qtbot, asked)
    assert asked.desk.space.dots == []
    assert "Exact words" in asked.desk.space.why_empty
    asked.window.search_panel.space.grab()


def test_another_case_of_the_archive_opens_beside_the_image(qtbot: QtBot, asked: App) -> None:
    desk = asked.desk
    hit = desk.search.hits[0]
    desk.search.forget({hit.case_id})  # as if it had not been found
    press(qtbot, asked, "hit_map")
    other = next(dot for dot in desk.space.dots if not dot.hit)
    assert other.case_id == hit.case_id
    desk.space.choose(other)
    settle(qtbot, asked)
    assert desk.comparison.case_id == hit.case_id
    assert desk.space.describe(other) == f"Case {hit.case_id}: not among the hits"
