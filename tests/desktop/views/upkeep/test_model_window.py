"""The Model screen on a tiny bundle and an archive that it can learn: figures, teaching, the new models and back."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.upkeep import teaching
from desktop.views.upkeep.model_window import ModelWindow
from engine.adapt.adapt import AdaptOptions
from engine.adapt.training import Recipe
from engine.bundle import Bundle
from tests.desktop.conftest import settle

RECIPE = Recipe(steps=150, batch=64, rate=1e-2, sentences=0.0)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teaching without the sample archive, which takes minutes."""
    monkeypatch.setattr(teaching, "AdaptOptions", partial(AdaptOptions, recipe=RECIPE, sample=Path("none")))


@pytest.fixture
def screen(qtbot: QtBot, app: App, bundle: Bundle, filled: Path, tmp_path: Path) -> ModelWindow:
    """The page Teach with the tiny models and a copy of the archive."""
    app.desk.upkeep.model.use(bundle.folder)
    app.desk.archive.open(shutil.copytree(filled, tmp_path / "archive"))
    settle(qtbot, app)
    app.actions.actions["teach"].trigger()
    settle(qtbot, app)
    assert app.window.dialogs.model is not None
    return app.window.dialogs.model


def cells(screen: ModelWindow, column: int) -> list[str]:
    table = screen.teach.table
    return [item.text() for row in range(table.rowCount()) if (item := table.item(row, column))]


def test_the_screen_says_what_the_models_are_and_how_they_lie_on_this_archive(
    app: App, screen: ModelWindow, bundle: Bundle
) -> None:
    facts = dict(app.desk.upkeep.model.facts)
    assert facts["Models"] == "tiny"
    assert "Models run on the" in facts["Provider"]
    assert "Model card: tiny" in screen.card.toPlainText()
    gap, mixed = app.desk.upkeep.model.figures
    assert float(gap.archive) > 0.1
    assert 0 <= float(mixed.archive) <= 100
    assert app.desk.upkeep.model.space is not None
    assert screen.minimumSizeHint().width() <= 1366
    assert screen.minimumSizeHint().height() <= 720


@pytest.mark.usefixtures("quick")
def test_taught_models_are_used_when_asked_and_there_is_a_way_back(
    qtbot: QtBot, app: App, screen: ModelWindow, bundle: Bundle
) -> None:
    desk, page = app.desk, screen.teach
    assert page.invitation.text().startswith("Your archive holds 260 images with reports. Teach Kindred your reports:")
    page.teach.click()
    assert page.cancel.isVisibleTo(page)
    settle(qtbot, app)
    assert page.line.text().startswith("The taught models are better on patients that were held out.")
    assert "recall@10, mean, %" in cells(screen, 0)
    assert desk.archive.current_bundle is not None
    assert desk.archive.current_bundle.folder == bundle.folder
    page.use.click()
    settle(qtbot, app)
    taught = desk.archive.bundle
    assert taught is not None
    assert taught.manifest["adapted"]["from"] == bundle.id
    assert desk.archive.stats["bundle_id"] == taught.id
    assert desk.upkeep.model.remembered() == taught.folder
    assert page.line.text() == "The taught models are in use."
    shutil.move(taught.folder, taught.folder.with_name("moved"))
    assert desk.upkeep.model.remembered() is None  # the next start takes the starter models
    shutil.move(taught.folder.with_name("moved"), taught.folder)
    page.back.click()
    settle(qtbot, app)
    assert desk.upkeep.model.folder == bundle.folder
    assert desk.archive.bundle is taught  # until the archive is re-indexed
    assert desk.upkeep.model.before == taught.folder
    screen.reindex.click()
    settle(qtbot, app)
    assert desk.archive.stats["bundle_id"] == bundle.id


def test_models_that_are_not_better_are_refused_with_the_reason(
    qtbot: QtBot, app: App, screen: ModelWindow, private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = replace(RECIPE, rate=0.0, steps=2)
    monkeypatch.setattr(teaching, "AdaptOptions", partial(AdaptOptions, recipe=idle, sample=Path("none")))
    used = app.desk.archive.bundle
    screen.teach.teach.click()
    settle(qtbot, app)
    assert "are not better and were not kept: neither recall@10 nor the gap" in screen.teach.line.text()
    assert not screen.teach.use.isVisibleTo(screen.teach)
    assert cells(screen, 1) == cells(screen, 2)
    assert app.desk.archive.bundle is used
    assert not list((private_home / "models").glob("*"))


@pytest.mark.usefixtures("quick")
def test_cancelled_teaching_leaves_the_models_in_use(
    qtbot: QtBot, app: App, screen: ModelWindow, private_home: Path
) -> None:
    used = app.desk.archive.bundle
    screen.teach.teach.click()
    screen.teach.cancel.click()
    assert screen.teach.line.text() in ("Cancelling…", "")
    settle(qtbot, app)
    assert screen.teach.teach.isEnabled()
    assert app.desk.archive.bundle is used
    assert not list((private_home / "models").glob("*"))


def test_an_archive_with_too_few_reports_says_how_many_are_needed(
    qtbot: QtBot, app: App, bundle: Bundle, tmp_path: Path
) -> None:
    app.desk.upkeep.model.use(bundle.folder)
    app.desk.archive.create(tmp_path / "archive")
    settle(qtbot, app)
    app.actions.actions["model_screen"].trigger()
    settle(qtbot, app)
    screen = app.window.dialogs.model
    assert screen is not None
    assert "Import more studies with reports." in screen.teach.invitation.text()
    assert not screen.teach.teach.isEnabled()
    assert app.desk.messages.message is None
