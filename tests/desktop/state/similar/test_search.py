"""Searching and its hits, with a double in place of the ranking: what is asked, dropped and shown."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.viewer.viewport import ViewportState
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.facts.fact import Facts, values_of
from tests.desktop.conftest import dicom
from tests.desktop.state.similar.conftest import Ranking


def test_the_current_image_at_its_window_is_searched_for(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState, ranking: Ranking
) -> None:
    viewport.apply_preset(2)
    viewport.toggle_invert()
    qtbot.waitUntil(background.idle)
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert viewport.picture is not None
    assert viewport.study is not None
    np.testing.assert_array_equal(ranking.asked[0]["query"].image, viewport.picture.image())
    assert ranking.asked[0]["options"].exclude_study == viewport.study.uid
    assert "W 1500 L -600" in str(state.answered)


def test_a_search_by_text_alone_has_no_image(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.set_form(replace(state.form, text=" effusion ", with_image=False, modality="CR", kind="report"))
    state.search()
    qtbot.waitUntil(background.idle)
    asked = ranking.asked[0]
    assert (asked["query"].text, asked["query"].image) == ("effusion", None)
    assert asked["options"].filters.modalities == ("CR",)
    assert asked["options"].filters.kinds == ("report",)
    assert [hit.text for hit in state.hits] == ["effusion"]
    assert state.selected == state.hits[0]


def test_the_latest_search_supersedes_the_others(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    ranking.gate.clear()
    for words in ("first", "second"):
        state.set_form(replace(state.form, text=words, with_image=False))
        state.search()
    ranking.gate.set()
    qtbot.waitUntil(background.idle)
    assert [hit.text for hit in state.hits] == ["second"]
    assert not state.searching


def test_a_failed_search_shows_its_error_and_no_old_hits(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    ranking.error = UserError("The archive belongs to other models.")
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert state.failure == "The archive belongs to other models."
    assert state.hits == []


def test_hits_of_another_image_are_marked(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert not state.image_differs
    other = open_path(dicom("MR_small.dcm")).studies[0]
    viewport.show(other, other.series[0])
    qtbot.waitUntil(background.idle)
    assert state.image_differs


def test_each_result_is_marked_again_once_another_image_is_on_screen(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState
) -> None:
    studies = [open_path(dicom(name)).studies[0] for name in ("MR_small.dcm", "CT_small.dcm")]
    told: list[bool] = []
    state.changed.connect(lambda: told.append(state.image_differs))
    for study in studies:
        state.search_image()
        qtbot.waitUntil(background.idle)
        assert told[-1] is False
        viewport.show(study, study.series[0])
        qtbot.waitUntil(background.idle)
        assert told[-1] is True


def test_hits_are_removed_with_their_archive(
    qtbot: QtBot, background: Background, state: SearchState, archive: ArchiveState, tmp_path: Path
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    archive.create(tmp_path / "other")
    qtbot.waitUntil(background.idle)
    assert state.hits == []
    assert state.selected is None


def test_a_first_result_that_arrives_after_another_archive_was_opened_is_dropped(
    qtbot: QtBot, background: Background, state: SearchState, archive: ArchiveState, ranking: Ranking, tmp_path: Path
) -> None:
    ranking.gate.clear()
    state.search_image()
    archive.create(tmp_path / "other")
    qtbot.waitUntil(lambda: archive.name == "other")
    ranking.gate.set()
    qtbot.waitUntil(background.idle)
    assert (state.hits, state.answered, state.searching) == ([], None, False)


def test_a_failure_is_removed_with_its_archive(
    qtbot: QtBot, background: Background, state: SearchState, archive: ArchiveState, ranking: Ranking, tmp_path: Path
) -> None:
    ranking.error = UserError("The archive was indexed with another model.")
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert state.failure
    archive.create(tmp_path / "other")
    qtbot.waitUntil(background.idle)
    assert state.failure == ""


def test_the_reason_why_no_search_can_start(state: SearchState, archive: ArchiveState) -> None:
    assert state.why_not() == ""
    archive.bundle, archive.bundle_failure = None, "The bundle is damaged: image.onnx."
    assert state.why_not() == "The bundle is damaged: image.onnx."
    archive.stats = {"cases": 0}
    assert "empty" in state.why_not()


def test_sex_and_age_filter_the_search(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.set_form(replace(state.form, sex="F", age="40-60"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[0]["options"].filters.sex == "F"
    assert ranking.asked[0]["options"].filters.age == (40, 60)


def test_an_invalid_age_is_reported_before_a_search(state: SearchState, ranking: Ranking) -> None:
    state.set_form(replace(state.form, age="old"))
    assert "type a range such as 40-60" in state.why_not()
    state.search()
    assert ranking.asked == []


def test_when_nothing_is_found_the_filters_can_be_cleared_and_the_search_repeated(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    ranking.nothing = True
    state.set_form(replace(state.form, text="effusion", sex="F", mode="lexical"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert state.why_none().endswith("Try to search by meaning, clear the filters, or use other words.")
    ranking.nothing = False
    state.clear_filters()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[1]["options"].filters.sex is None
    assert ranking.asked[1]["query"].text == "effusion"
    assert state.why_none() == ""
    assert len(state.hits) == 1


def test_facts_of_header_words_and_models_go_with_the_query_and_can_be_corrected(
    qtbot: QtBot, state: SearchState, background: Background, ranking: Ranking
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    found = {"modality": "CT", "region": "limb", "view": "axial", "contrast": "with"}
    assert values_of(state.facts) == values_of(ranking.asked[-1]["query"].known) == found
    assert (state.facts["modality"].text, state.facts["region"].text) == ("CT", "limb?")
    state.correct("region", "abdomen")
    state.correct("contrast", "")
    qtbot.waitUntil(background.idle)
    assert values_of(state.facts) == {"modality": "CT", "view": "axial", "region": "abdomen"}
    assert state.facts["region"].source == "user"
    state.correct("region", None)
    qtbot.waitUntil(background.idle)
    assert state.facts["region"].text == "limb?"


def test_a_correction_is_of_one_text(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    def ask(text: str) -> Facts:
        state.set_form(replace(state.form, text=text, with_image=False))
        state.search()
        qtbot.waitUntil(background.idle)
        return state.facts

    assert values_of(ask("ct chest")) == {"modality": "CT", "region": "chest"}
    state.correct("modality", "")
    qtbot.waitUntil(background.idle)
    assert values_of(state.facts) == {"region": "chest"}
    assert values_of(ask("mr brain")) == {"modality": "MR", "region": "head"}
    assert state.corrections == {}
    assert values_of(ask("ct chest")) == {"region": "chest"}


def test_a_correction_of_an_image_outlasts_a_search_by_text(
    qtbot: QtBot, background: Background, state: SearchState
) -> None:
    state.search_image()
    qtbot.waitUntil(background.idle)
    state.correct("region", "")
    state.set_form(replace(state.form, text="pneumonia", with_image=False))
    state.search()
    qtbot.waitUntil(background.idle)
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert "region" not in state.facts


def test_a_correction_of_an_image_that_is_no_longer_shown_is_kept_for_it_and_searches_for_no_other(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState, ranking: Ranking
) -> None:
    first = viewport.study
    assert first is not None
    state.search_image()
    qtbot.waitUntil(background.idle)
    other = open_path(dicom("MR_small.dcm")).studies[0]
    viewport.show(other, other.series[0])
    qtbot.waitUntil(background.idle)
    state.correct("region", "")
    qtbot.waitUntil(background.idle)
    assert len(ranking.asked) == 2
    assert ranking.asked[1]["query"].image is ranking.asked[0]["query"].image
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert state.corrections == {}
    viewport.show(first, first.series[0])
    qtbot.waitUntil(background.idle)
    state.search_image()
    qtbot.waitUntil(background.idle)
    assert state.corrections == {"region": ""}


@pytest.fixture
def series_shown(qtbot: QtBot, background: Background, viewport: ViewportState) -> None:
    """A series of ten images on screen."""
    study = open_path(dicom("emri_small.dcm")).studies[0]
    viewport.show(study, study.series[0])
    qtbot.waitUntil(background.idle)


@pytest.mark.usefixtures("series_shown")
def test_a_series_without_hits_is_searched_again_as_a_whole_without_filters(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    ranking.nothing = True
    state.set_form(replace(state.form, sex="F"))
    state.search_series()
    qtbot.waitUntil(background.idle)
    state.clear_filters()
    qtbot.waitUntil(background.idle)
    assert [len(asked["query"].images) for asked in ranking.asked] == [5, 5]


@pytest.mark.usefixtures("series_shown")
def test_a_series_is_searched_for_as_a_whole(
    qtbot: QtBot, background: Background, state: SearchState, viewport: ViewportState, ranking: Ranking
) -> None:
    state.search_series()
    qtbot.waitUntil(background.idle)
    asked = ranking.asked[0]["query"]
    assert asked.image is None
    assert len(asked.images) == 5
    assert str(state.answered) == "MR head, 5 of 10 images"
    assert asked.facts["modality"].value == "MR"
    viewport.scroll(1)
    qtbot.waitUntil(background.idle)
    assert not state.image_differs


def test_exact_words_leave_the_image_out_and_say_so(
    qtbot: QtBot, background: Background, state: SearchState, ranking: Ranking
) -> None:
    state.set_form(replace(state.form, text="effusion", with_image=True, mode="lexical"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[0]["query"].image is None
    assert str(state.answered) == "“effusion”"
    state.set_form(replace(state.form, mode="vector"))
    state.search()
    qtbot.waitUntil(background.idle)
    assert ranking.asked[1]["query"].image is not None  # the tick was kept
    assert ranking.asked[1]["query"].facts["modality"].value == "CT"
