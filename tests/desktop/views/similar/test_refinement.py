"""What the panel asks and shows of a refined query: share, feedback, history, case and region of interest."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.app import App
from engine.archive import Archive
from engine.bundle import Bundle
from engine.store.case import NewCase, NewImage, NewReport
from tests.desktop.conftest import dicom, open_paths, settle

WORDS = ("Pleural effusion on the left.", "Fracture of the femur.", "Normal chest.", "Cyst of the kidney.")


@pytest.fixture
def asked(qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle) -> App:
    """The app with a study, searched by image and text in an archive of four cases, the last without an image."""
    with Archive.create(tmp_path / "archive", starter_bundle.id) as archive:
        for n, text in enumerate(WORDS):
            gray = np.random.default_rng(n).integers(0, 256, (32, 32)).astype(np.uint8)
            image = NewImage(gray, starter_bundle.embed_images([gray])[0])
            report = NewReport(text, starter_bundle.embed_texts([text])[0])
            archive.add_case(NewCase(str(n), "CR", "FM"[n % 2], images=(image,) if n < 3 else (), report=report))
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.open(tmp_path / "archive")
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    app.window.search_panel.text.setText("effusion")
    app.window.search_panel.go.click()
    settle(qtbot, app)
    return app


def press(qtbot: QtBot, app: App, *names: str) -> None:
    for name in names:
        action = app.actions.actions[name]
        qtbot.waitUntil(action.isEnabled)
        action.trigger()
        settle(qtbot, app)


def test_the_slider_goes_from_the_image_to_the_words(qtbot: QtBot, asked: App) -> None:
    panel, search = asked.window.search_panel, asked.desk.search
    assert panel.refinement.shares.isVisible()
    panel.refinement.share.setValue(panel.refinement.share.maximum())
    settle(qtbot, asked)
    assert search.form.text_share == 1
    assert search.hits[0].text == WORDS[0]
    panel.refinement.share.setValue(0)
    settle(qtbot, asked)
    assert search.form.text_share == 0
    press(qtbot, asked, "find_similar")
    assert not panel.refinement.shares.isVisible()


def test_relevance_feedback_is_said_below_the_query_and_can_be_cleared(qtbot: QtBot, asked: App) -> None:
    refinement, search = asked.window.search_panel.refinement, asked.desk.search
    assert not refinement.line.isVisible()
    unliked = search.hits[0].case_id
    press(qtbot, asked, "mark_not_relevant")
    assert unliked not in [hit.case_id for hit in search.hits]
    press(qtbot, asked, "mark_relevant")
    assert refinement.moved.text() == (
        "Query moved towards 1 relevant case and away from 1 case, left out: 0 of 3 hits new."
    )
    assert asked.actions.actions["mark_relevant"].isChecked()
    refinement.clear.click()
    settle(qtbot, asked)
    assert not refinement.line.isVisible()
    assert len(search.hits) == 4


def test_a_case_is_searched_by_and_left_again(qtbot: QtBot, asked: App) -> None:
    panel, search = asked.window.search_panel, asked.desk.search
    case_id = search.hits[0].case_id
    press(qtbot, asked, "find_similar_to_case")
    assert case_id not in [hit.case_id for hit in search.hits]
    assert panel.case.text() == f"Case {case_id} ×"
    assert not panel.with_image.isVisible()
    panel.case.click()
    assert panel.with_image.isVisible()
    panel.back.click()
    settle(qtbot, asked)
    assert panel.text.text() == "effusion"
    panel.forward.click()
    settle(qtbot, asked)
    assert str(search.answered) == f"case {case_id}"


def test_filters_are_folded_above_hits_and_count_themselves(qtbot: QtBot, asked: App) -> None:
    panel = asked.window.search_panel
    assert not panel.filters.isVisible()
    panel.show_filters.click()
    assert panel.filters.isVisible()
    panel.filters.sex.setCurrentIndex(panel.filters.sex.findData("F"))
    settle(qtbot, asked)
    assert panel.show_filters.text() == "Filters (1)"
    assert {hit.sex for hit in asked.desk.search.hits} == {"F"}


def test_a_region_dragged_on_the_image_is_searched_by_and_drawn(qtbot: QtBot, asked: App) -> None:
    press(qtbot, asked, "tool_search_roi")
    view, viewport = asked.window.viewport, asked.desk.viewport
    center = view.rect().center()
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=center - QPoint(60, 60))
    qtbot.mouseMove(view, center + QPoint(60, 60))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=center + QPoint(60, 60))
    settle(qtbot, asked)
    answered = asked.desk.search.answered
    assert answered is not None
    assert answered.roi is not None
    first = viewport.to_image((center.x() - 60, center.y() - 60))
    assert first is not None
    assert answered.roi[:2] == (int(first[1]), int(first[0]))
    assert str(answered).startswith("“effusion” + CT")
    assert str(answered).endswith(", ROI")
    assert view.grab().toImage().pixelColor(center - QPoint(60, 60)).blue() > 100
    press(qtbot, asked, "find_similar")
    assert asked.desk.search.answered is not None
    assert asked.desk.search.answered.roi is None


def test_a_region_too_small_or_on_an_archived_case_is_refused(qtbot: QtBot, asked: App) -> None:
    before = asked.desk.search.answered
    press(qtbot, asked, "tool_search_roi", "compare_hit")
    for viewport in asked.desk.layout.viewports:
        view = asked.window.grid.view_of(viewport)
        for act in (qtbot.mousePress, qtbot.mouseRelease):
            act(view, Qt.MouseButton.LeftButton, pos=view.rect().center())
        settle(qtbot, asked)
        message = asked.desk.messages.message
        assert message is not None
        assert "ROI" in message.text
    assert asked.desk.search.answered is before


def test_a_hit_without_an_image_is_a_slim_row_and_every_row_has_its_strength(asked: App) -> None:
    hits = asked.window.search_panel.hits
    states = asked.desk.search
    heights = [hits.sizeHintForRow(row) for row in range(len(states.hits))]
    slim = next(row for row, hit in enumerate(states.hits) if hit.image_id is None)
    assert heights[slim] < min(height for row, height in enumerate(heights) if row != slim)
    assert len(states.strengths) == len(states.hits)
    assert states.strengths[0].word.lower() in hits.model().index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
