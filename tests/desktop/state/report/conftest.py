"""A report state with doubles of the models, and a CT study open."""

import threading
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop import desk
from desktop.app import App
from desktop.state.report.report import ReportState
from engine.facts.fact import Fact, Facts
from engine.reports.agreement import Evidence
from engine.reports.draft import Draft, Sentence
from tests.desktop.conftest import dicom, open_paths, settle

SENTENCES = (
    Sentence("The heart is enlarged.", 0.8, (Evidence(3, "Heart enlarged.", 0.91),)),
    Sentence("There is no effusion.", 0.6),
)


class Decoder:
    """Stands in for engine.reports.draft.draft: proposes two sentences for the study it was asked for."""

    def __init__(self) -> None:
        self.proposed = Draft(SENTENCES, "double")
        self.gate = threading.Event()
        self.gate.set()
        self.facts: Facts = {}

    def __call__(self, bundle: object, archive: object, gray: object, **options: Any) -> Draft:
        assert self.gate.wait(10)
        self.facts = options["facts"]
        return replace(self.proposed, study_uid=options["exclude_study"])


class Models:
    """Stands in for the bundle: says of every image that it is a hand."""

    def facts_of_image(self, image: object) -> Facts:
        return {"region": Fact("limb", "models", 0.8)}


@pytest.fixture(autouse=True)
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    """In place of the models of every app that these tests build."""
    made = Decoder()
    monkeypatch.setattr(desk, "ReportState", partial(ReportState, propose=made))
    return made


@pytest.fixture
def state(qtbot: QtBot, decoder: Decoder, app: App) -> ReportState:
    """The app's report state with the double in place of the models, and a CT study open."""
    app.desk.archive.bundle = Models()  # type: ignore[assignment]
    open_paths(qtbot, app, dicom("CT_small.dcm"))
    return app.desk.report


def drafted(qtbot: QtBot, app: App, state: ReportState) -> None:
    state.draft()
    settle(qtbot, app)
