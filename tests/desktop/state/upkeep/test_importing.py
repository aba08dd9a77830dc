"""How a running import goes: its pace, its pauses, and what is kept when it is stopped."""

from collections import deque
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.upkeep.importing import left, pace
from engine.bundle import Bundle
from tests.desktop.conftest import dicom, settle


@pytest.fixture
def ready(qtbot: QtBot, app: App, tmp_path: Path, starter_bundle: Bundle) -> App:
    """The app with an empty archive."""
    app.desk.archive._open_bundle = lambda path: starter_bundle
    app.desk.archive.load_bundle()
    app.desk.archive.create(tmp_path / "archive")
    settle(qtbot, app)
    return app


def test_the_pace_is_that_of_the_last_moments() -> None:
    assert pace(deque([(10.0, 0), (20.0, 50)]), 350) == "5.0 cases/s, about 1 minute left"
    assert pace(deque([(0.0, 0), (10.0, 200)]), 250) == "20 cases/s, less than a minute left"
    assert pace(deque([(10.0, 0), (11.0, 50)]), 350) == ""
    assert pace(deque(), 350) == ""
    assert left(3 * 3600) == "about 3 hours left"


def test_an_import_waits_while_paused_and_keeps_what_it_had_when_it_is_stopped(
    qtbot: QtBot, ready: App, tmp_path: Path
) -> None:
    table, desk = tmp_path / "many.csv", ready.desk
    table.write_text("text\n" + "".join(f"Report number {number}.\n" for number in range(400)))
    desk.archive.import_into(table)
    qtbot.waitUntil(lambda: desk.upkeep.importing.share[1] > 0, timeout=60_000)
    desk.upkeep.importing.pause(True)
    assert desk.upkeep.importing.line.startswith("Paused: ")
    assert desk.upkeep.importing.running
    desk.upkeep.importing.pause(False)
    assert "of 400 cases" in desk.upkeep.importing.line
    desk.upkeep.importing.pause(True)
    desk.upkeep.importing.stop()
    settle(qtbot, ready)
    assert not desk.upkeep.importing.running
    kept = desk.archive.stats["cases"]
    assert kept < 400
    told = f"Import stopped, and what it had imported is kept: {kept:,} case"
    assert desk.upkeep.importing.line.startswith(told)
    assert desk.messages.message is not None
    assert desk.messages.message.text.startswith(told)


def test_rejected_files_stay_listed_with_their_reasons(qtbot: QtBot, ready: App, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "a.dcm").write_bytes(dicom("CT_small.dcm").read_bytes())
    (tmp_path / "both" / "b.dcm").write_text("no image")
    ready.desk.archive.import_into(tmp_path / "both")
    settle(qtbot, ready)
    assert ready.desk.upkeep.importing.line.startswith("Import finished: 1 case added, 1 rejected")
    assert [item.path.endswith("b.dcm") for item in ready.desk.upkeep.importing.rejected] == [True]
