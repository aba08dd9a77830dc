"""Live filters, the history of questions, feedback, shares, cases and regions, with a double of the ranking."""

from dataclasses import replace

import numpy as np
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.retrieval.feedback import Feedback
from engine.store.case import NewCase, NewReport
from tests.desktop.conftest import dicom
from tests.desktop.state.similar.conftest import HIT, Ranking


def test_a_filter_applies_at_once_to_the_question_of_the_hits(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    first = ranking.asked[0]["query"].image
    other = open_path(dicom("MR_small.dcm")).studies[0]
    viewport.show(other, other.series[0])
    state.set_form(replace(state.form, sex="F", text="typed, but not asked"))
    assert state.outdated
    qtbot.waitUntil(background.idle)
    asked = ranking.asked[1]
    assert asked["options"].filters.sex == "F"
    assert asked["query"].image is first
    assert asked["query"].text is None
    assert asked["known"] is not None  # the models are not asked again
    assert not state.outdated
    assert state.image_differs
    state.clear_filters()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[2]["options"].filters.sex is None


def test_hits_are_outdated_while_the_filters_are_invalid_or_a_search_runs(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.set_form(replace(state.form, age="4x"))
    assert state.outdated
    assert state.why_not()
    assert len(ranking.asked) == 1
    state.set_form(replace(state.form, age="4"))
    assert state.searching
    qtbot.waitUntil(background.idle)
    assert not state.outdated
    ranking.gate.clear()
    state.search_image()
    assert state.outdated
    ranking.gate.set()
    qtbot.waitUntil(background.idle)
    assert not state.outdated


def test_a_cancelled_search_leaves_the_panel_with_what_the_hits_answer(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    ranking.gate.clear()
    state.set_form(replace(state.form, sex="F"))
    assert state._job is not None
    background.cancel(state._job)
    ranking.gate.set()
    qtbot.waitUntil(background.idle)
    assert state.form.sex == ""
    assert not state.outdated


def ask(qtbot: QtBot, background: Background, state: SearchState, text: str) -> None:
    state.set_form(replace(state.form, text=text, with_image=False))
    state.search()
    qtbot.waitUntil(background.idle)


def test_the_history_of_questions_goes_back_and_forward_with_their_filters(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    assert not state.can_go_back
    ask(qtbot, background, state, "one")
    state.set_form(replace(state.form, sex="F"))
    qtbot.waitUntil(background.idle)
    ask(qtbot, background, state, "two")
    state.clear_filters()
    qtbot.waitUntil(background.idle)
    ask(qtbot, background, state, "three")
    state.go_back()
    state.go_back()  # faster than the answers
    qtbot.waitUntil(background.idle)
    assert (state.form.text, state.form.sex, state.hits[0].text) == ("one", "F", "one")
    assert ranking.asked[-1]["known"] is not None
    assert not state.can_go_back
    state.go_forward()
    qtbot.waitUntil(background.idle)
    assert state.hits[0].text == "two"
    ask(qtbot, background, state, "four")
    assert not state.can_go_forward
    state.go_back()
    qtbot.waitUntil(background.idle)
    assert state.hits[0].text == "two"


def test_an_image_is_asked_again_from_the_history_after_another_one_was_opened(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    other = open_path(dicom("MR_small.dcm")).studies[0]
    viewport.show(other, other.series[0])
    qtbot.waitUntil(background.idle)
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.go_back()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[2]["query"].image is ranking.asked[0]["query"].image
    assert state.image_differs


def test_going_back_takes_the_corrections_of_today(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.search_series()  # of the same series
    qtbot.waitUntil(background.idle)
    state.correct("region", "abdomen")
    qtbot.waitUntil(background.idle)
    state.go_back()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[-1]["query"].corrections == {"region": "abdomen"}


def test_after_a_failure_one_can_go_back(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    ask(qtbot, background, state, "one")
    ranking.error = UserError("No.")
    ask(qtbot, background, state, "two")
    ranking.error = None
    state.go_back()
    qtbot.waitUntil(background.idle)
    assert (state.failure, state.hits[0].text) == ("", "one")


def test_feedback_moves_the_query_says_so_and_can_be_cleared(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.mark_relevant(True)
    qtbot.waitUntil(background.idle)
    assert ranking.asked[-1]["query"].feedback == Feedback(liked=(7,))
    assert state.feedback_text == "Query moved towards 1 relevant case: 0 of 1 hit new."
    state.mark_relevant(False)
    qtbot.waitUntil(background.idle)
    assert state.feedback_text == "Query moved away from 1 case, left out: 0 of 1 hit new."
    state.mark_relevant(False)  # again takes it back
    qtbot.waitUntil(background.idle)
    assert state.feedback_text == ""
    state.mark_relevant(True)
    state.clear_feedback()
    qtbot.waitUntil(background.idle)
    assert not state.feedback
    assert not state.can_go_back  # it was one question all along


def test_exact_words_take_no_feedback(qtbot: QtBot, background: Background, state: SearchState) -> None:
    state.set_form(replace(state.form, mode="lexical"))
    ask(qtbot, background, state, "effusion")
    assert state.selected is not None
    assert not state.takes_feedback


def test_the_share_of_the_text_applies_at_once(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert not state.composed
    state.set_form(replace(state.form, text="effusion"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert state.composed
    state.set_form(replace(state.form, text_share=0.8))
    qtbot.waitUntil(background.idle)
    assert ranking.asked[-1]["query"].text_share == 0.8
    assert ranking.asked[-1]["known"] is not None


def test_more_like_a_hit_asks_by_its_case_until_the_image_is_chosen_again(
    qtbot: QtBot, background: Background, state: SearchState, archive: ArchiveState, ranking: Ranking
) -> None:
    assert archive.archive is not None
    archive.archive.bind("tests")
    report = NewReport("Effusion.", np.ones(4, np.float32) / 2)
    for key in range(7):
        archive.archive.add_case(NewCase(str(key), report=report))
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.search_selected_case()
    qtbot.waitUntil(background.idle)
    assert (ranking.asked[-1]["query"].case, ranking.asked[-1]["query"].image) == (7, None)
    assert str(state.answered) == "case 7"
    assert not state.image_differs
    state.set_form(replace(state.form, text="with a fracture"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert (ranking.asked[-1]["query"].case, ranking.asked[-1]["query"].text) == (7, "with a fracture")
    state.leave_case()
    state.search()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[-1]["query"].case is None
    assert ranking.asked[-1]["query"].image is not None
    state.forget({7})
    assert [question.form.case for question in state._history.back] == [None]


def test_a_region_of_the_current_image_is_asked_with_the_whole(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_roi((10, 20, 60, 70))
    qtbot.waitUntil(background.idle)
    assert ranking.asked[0]["query"].roi == (10, 20, 60, 70)
    assert ranking.asked[0]["query"].image.shape == (128, 128)
    assert str(state.answered).endswith(", ROI")
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[1]["query"].roi is None


def test_priors_are_a_group_of_their_own_above_the_others(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    assert state.caption(0) == ""
    ranking.priors = [replace(HIT, case_id=9, prior=True), replace(HIT, case_id=3, prior=True)]
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[0]["options"].priors_apart
    assert [hit.case_id for hit in state.hits] == [9, 3, 7]
    assert [state.caption(row)[:6] for row in range(3)] == ["Priors", "", "Other "]


def test_a_refined_search_keeps_the_selected_case(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    ranking.priors = [replace(HIT, case_id=9, prior=True)]
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.select(state.hits[1])
    state.set_form(replace(state.form, sex="F"))
    qtbot.waitUntil(background.idle)
    assert state.selected is state.hits[1]
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert state.selected is state.hits[0]
