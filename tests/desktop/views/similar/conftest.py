"""The app with an archive of two cases, which are the hits of a search."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.similar.query import AnsweredQuery
from engine.archive import Archive
from engine.retrieval.hit import Hit
from engine.store.case import NewCase, NewImage, NewReport
from tests.desktop.conftest import settle

VECTOR = np.ones(4, np.float32) / 2


def hit(case_id: int, text: str, image_id: int | None) -> Hit:
    return Hit(
        case_id=case_id,
        kind="report",
        score=2.0,
        cosine=0.4,
        text=text,
        why="Similar wording",
        modality="CR",
        sex="F",
        age=61,
        image_id=image_id,
    )


@pytest.fixture
def found(qtbot: QtBot, app: App, tmp_path: Path) -> Iterator[App]:
    """The app with two hits: a case of two images and a report, and a report only."""
    images = tuple(NewImage(np.full((30, 40), 60 + n, np.uint8), VECTOR, f"{n}", (40.0, 400.0)) for n in range(2))
    with Archive.create(tmp_path / "archive", "tests") as archive:
        text = "Large left effusion."
        archive.add_case(
            NewCase(
                "1",
                "CR",
                "F",
                61,
                licence="CC BY",
                attribution="example.org",
                images=images,
                report=NewReport(text, VECTOR),
            )
        )
        archive.add_case(NewCase("2", report=NewReport("Normal.", VECTOR)))
    app.desk.archive.open(tmp_path / "archive")
    settle(qtbot, app)
    search = app.desk.search
    search._use(app.desk.archive.archive)
    search.answered = AnsweredQuery("effusions", "")
    search.hits = [hit(1, text, 2), hit(2, "Normal.", None)]
    search.hits_changed.emit()
    search.select(search.hits[0])
    search.changed.emit()
    settle(qtbot, app)
    return app
