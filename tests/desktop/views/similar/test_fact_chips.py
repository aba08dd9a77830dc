"""The chips of the query's facts: what they say, and what a click asks for."""

import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.query import AnsweredQuery, Question, SearchForm
from desktop.state.similar.search import SearchState
from desktop.state.viewer.viewport import ViewportState
from desktop.views.similar.fact_chips import FactChips
from engine.facts.fact import Fact


@pytest.fixture
def state(qtbot: QtBot, background: Background) -> SearchState:
    search = SearchState(background, ArchiveState(background), ViewportState(background))
    search.answered = AnsweredQuery("", "CT")
    search.facts = {
        "modality": Fact("CT", "header"),
        "region": Fact("limb", "models", 0.72),
        "contrast": Fact("without", "words"),
    }
    return search


@pytest.fixture
def chips(qtbot: QtBot, state: SearchState) -> FactChips:
    widget = FactChips(state)
    qtbot.addWidget(widget)
    return widget


def shown(chips: FactChips) -> list[str]:
    return [chip.text() for chip in chips.chips.values() if not chip.isHidden()]


def choose(chips: FactChips, kind: str, label: str) -> None:
    menu = chips.chips[kind].menu()  # type: ignore[index]
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text() == label).trigger()


def test_a_chip_says_its_fact_and_marks_what_only_the_models_say(chips: FactChips) -> None:
    assert shown(chips) == ["CT", "Limb?", "Without contrast"]
    assert "estimated by the models, 72%" in chips.chips["region"].toolTip()


def test_a_click_corrects_removes_and_takes_back(
    chips: FactChips, state: SearchState, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[dict[str, str]] = []

    def run(question: Question, way: str) -> None:
        state._question = state._latest = question
        searches.append(dict(question.corrections))  # type: ignore[arg-type]

    state._latest = state._question = Question(None, None, SearchForm(), "CT", None, None)  # type: ignore[arg-type]
    monkeypatch.setattr(state, "_run", run)
    choose(chips, "region", "Abdomen")
    choose(chips, "contrast", "Remove")
    choose(chips, "region", "As found")
    assert searches == [{"region": "abdomen"}, {"region": "abdomen", "contrast": ""}, {"contrast": ""}]
    state.facts = {"modality": Fact("CT", "header")}
    state.changed.emit()
    assert shown(chips) == ["CT", "Any contrast"]


def test_without_an_answer_there_are_no_chips(chips: FactChips, state: SearchState) -> None:
    state.answered = None
    state.changed.emit()
    assert chips.isHidden()
