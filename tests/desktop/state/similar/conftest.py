"""A search state with a double in place of the ranking, on a real image and an empty archive."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.background import Background
from desktop.state.similar.archive import ArchiveState
from desktop.state.similar.search import SearchState
from desktop.state.viewer.viewport import ViewportState
from engine.archive import Archive
from engine.dicom.listing import open_path
from engine.facts.fact import Fact, Facts
from engine.retrieval.hit import Hit
from engine.retrieval.query import EmbeddedQuery
from engine.retrieval.search import SearchOptions, SearchResult
from tests.desktop.conftest import dicom

HIT = Hit(
    case_id=7,
    kind="report",
    score=2.5,
    cosine=0.4,
    text="Pleural effusion on the left.",
    why="Similar wording",
    modality="CR",
    sex="F",
    age=61,
    image_id=None,
)


class Ranking:
    """Stands in for engine.retrieval.search.search: answers with one hit and remembers how it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.nothing = False
        self.priors: list[Hit] = []

    def __call__(
        self, archive: Archive, bundle: object, query: Any, options: SearchOptions, known: EmbeddedQuery | None
    ) -> SearchResult:
        self.asked.append({"query": query, "options": options, "known": known})
        assert self.gate.wait(10)
        if self.error:
            raise self.error
        hits = [] if self.nothing else [replace(HIT, text=query.text or "by image")]
        vector = np.ones(4, np.float32) / 2
        images = tuple(vector for _ in query.frames)
        made = EmbeddedQuery("double", images, vector if query.text else None, frozenset())
        return SearchResult(hits, facts=query.known, embedded=made, priors=self.priors)


class Models:
    """Stands in for a bundle, which says that every image is a radiograph of a limb."""

    def facts_of_image(self, image: np.ndarray) -> Facts:
        return {"modality": Fact("CR", "models", 0.9), "region": Fact("limb", "models", 0.7)}


@pytest.fixture
def ranking() -> Ranking:
    return Ranking()


@pytest.fixture
def archive(background: Background, tmp_path: Path) -> Iterator[ArchiveState]:
    """An open archive with models, as far as the search state looks at them."""
    state = ArchiveState(background)
    state.archive = Archive.create(tmp_path / "archive")
    state.stats = {"cases": 1}
    state.bundle = Models()  # type: ignore[assignment]
    yield state
    state.close()


@pytest.fixture
def viewport(qtbot: QtBot, background: Background) -> ViewportState:
    state = ViewportState(background)
    study = open_path(dicom("CT_small.dcm")).studies[0]
    state.show(study, study.series[0])
    qtbot.waitUntil(background.idle)
    return state


@pytest.fixture
def state(background: Background, archive: ArchiveState, viewport: ViewportState, ranking: Ranking) -> SearchState:
    return SearchState(background, archive, viewport, ask=ranking)
