"""The first steps: when they are offered, how they advance with the ordinary commands, and how they are left."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.app import App, build
from desktop.state.first_steps import sample
from desktop.state.first_steps.first_steps import ARCHIVE, SEARCH, STUDY
from desktop.state.similar import archive as archives
from engine.bundle import Bundle
from engine.importing.import_result import ImportResult
from engine.importing.importer import import_path
from tests.desktop.conftest import dicom, settle

REPORTS = 'id,text\na,"Small calcified granuloma of the spleen."\nb,"Right pleural effusion."\n'

IMPORTED = "Importing cases"


@pytest.fixture
def shipped(tmp_path: Path, private_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample archive of two reports, to be imported below a home of the test's own."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "captions.csv").write_text(REPORTS)
    monkeypatch.setattr(sample, "shipped_cases", lambda: folder)
    return folder


@pytest.fixture
def started(qtbot: QtBot, unopened: App, shipped: Path, starter_bundle: Bundle) -> App:
    """The app at its first start."""
    unopened.desk.archive._open_bundle = lambda path: starter_bundle
    unopened.desk.begin()
    settle(qtbot, unopened)
    return unopened


def test_the_first_start_offers_the_steps_and_blocks_nothing(qtbot: QtBot, started: App) -> None:
    steps = started.window.first_steps
    assert steps.isVisible()
    assert steps.sample.hasFocus()
    assert started.desk.first_steps.current == ARCHIVE
    started.window.viewport.setFocus()
    qtbot.keyClick(started.window.viewport, Qt.Key.Key_H)
    assert not started.desk.viewport.patient_data_visible


def test_a_step_that_is_done_takes_no_keyboard_from_elsewhere(qtbot: QtBot, started: App) -> None:
    assert started.window.first_steps.sample.hasFocus()
    text = started.window.search_panel.text
    text.setFocus()
    started.desk.open([dicom("CT_small.dcm")])
    settle(qtbot, started)
    assert started.desk.first_steps.done[STUDY]
    assert text.hasFocus()


def test_escape_skips_them_for_good(qtbot: QtBot, started: App, tmp_path: Path) -> None:
    qtbot.keyClick(started.window.first_steps.sample, Qt.Key.Key_Escape)
    assert not started.window.first_steps.isVisible()
    started.close()
    again = build(tmp_path / "workspace")
    again.desk.first_steps.begin()
    assert not again.desk.first_steps.visible
    again.actions.actions["first_steps"].trigger()
    assert again.desk.first_steps.visible
    again.close()
    again.window.deleteLater()


def test_escape_in_the_viewer_skips_them_too(qtbot: QtBot, started: App) -> None:
    started.window.viewport.setFocus()
    qtbot.keyClick(started.window.viewport, Qt.Key.Key_Escape)
    assert not started.window.first_steps.isVisible()


@pytest.mark.parametrize("known", [{"archive": "/somewhere"}, {"recent": ("/scans/a",)}, {"first_steps_seen": True}])
def test_whoever_has_used_kindred_before_is_not_asked(qtbot: QtBot, unopened: App, known: dict[str, object]) -> None:
    unopened.desk.settings.change(**known)
    unopened.desk.first_steps.begin()
    assert not unopened.desk.first_steps.visible


def test_each_step_is_done_with_the_ordinary_commands(qtbot: QtBot, started: App) -> None:
    desk, steps = started.desk, started.window.first_steps
    steps.sample.click()
    settle(qtbot, started)
    qtbot.waitUntil(lambda: desk.first_steps.done[ARCHIVE])
    settle(qtbot, started)
    assert desk.archive.stats["cases"] == 2
    assert sample.imported_mark().exists()
    assert desk.first_steps.current == STUDY
    desk.open([dicom("CT_small.dcm")])
    settle(qtbot, started)
    assert desk.first_steps.current == SEARCH
    find = steps._of_actions["find_similar"]
    qtbot.waitUntil(find.isEnabled)
    find.click()
    settle(qtbot, started)
    assert desk.first_steps.done == (True, True, True)
    assert steps.leave.text() == "Close"
    steps.leave.click()
    assert desk.settings.now.first_steps_seen


def test_the_sample_archive_is_imported_once(qtbot: QtBot, started: App, monkeypatch: pytest.MonkeyPatch) -> None:
    started.desk.first_steps.use_sample()
    settle(qtbot, started)
    qtbot.waitUntil(sample.imported_mark().exists)
    settle(qtbot, started)
    imports: list[Path] = []
    monkeypatch.setattr(started.desk.archive, "import_into", imports.append)
    started.desk.first_steps.use_sample()
    settle(qtbot, started)
    assert imports == []


def test_an_import_that_was_stopped_goes_on_when_asked_again(
    qtbot: QtBot, started: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: Any) -> ImportResult:
        """An import that is stopped after its first case."""
        done: list[str] = []
        return import_path(*arguments[:-2], lambda _done, _total, what: done.append(what), lambda: IMPORTED in done)

    with monkeypatch.context() as patched:
        patched.setattr(archives, "import_path", stopped)
        started.desk.first_steps.use_sample()
        qtbot.waitUntil(lambda: started.desk.upkeep.importing.result is not None)
        settle(qtbot, started)
    assert not sample.imported_mark().exists()
    started.desk.first_steps.use_sample()
    settle(qtbot, started)
    qtbot.waitUntil(sample.imported_mark().exists)
    settle(qtbot, started)
    assert started.desk.archive.stats["cases"] == 2
