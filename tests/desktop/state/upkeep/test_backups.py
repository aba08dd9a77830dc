"""Backups in the app: made when they are due, told, and restored while the archive is open."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.errors import PROBLEM
from desktop.state.upkeep.backups import WORKSPACE
from desktop.views.chooser import Chooser
from engine.archive import Archive
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.making import Making, make
from engine.store.backup.salvage import salvage
from engine.store.backup.source import archive_source, workspace_source
from engine.store.case import NewCase
from tests.desktop.conftest import settle
from tests.engine.conftest import WordEncoder, encoder, make_case

__all__ = ["encoder", "make_case"]
Make = Callable[..., NewCase]


@pytest.fixture
def folder(tmp_path: Path, encoder: WordEncoder, make_case: Make) -> Path:
    """An archive of two cases."""
    with Archive.create(tmp_path / "archive", encoder.id) as archive:
        for number in range(2):
            archive.add_case(make_case(f"{number}", "No effusion.", [number]), encoder.id)
    return tmp_path / "archive"


@pytest.fixture
def opened(qtbot: QtBot, app: App, folder: Path) -> App:
    """The app with that archive open."""
    app.desk.archive.open(folder)
    settle(qtbot, app)
    return app


def text(app: App) -> str:
    message = app.desk.messages.message
    return message.text if message is not None else ""


def test_a_look_backs_up_archive_and_workspace_once_an_hour(qtbot: QtBot, opened: App, tmp_path: Path) -> None:
    sources = [archive_source(tmp_path / "archive"), workspace_source(tmp_path / "workspace")]
    backups = opened.desk.upkeep.backups
    for _ in range(2):
        backups.look()
        settle(qtbot, opened)
    assert [len(backups_of(one)) for one in sources] == [1, 1]
    assert text(opened) == ""


def test_a_newer_backup_is_made_when_the_last_one_is_an_hour_old_and_something_changed(
    qtbot: QtBot, opened: App, folder: Path, encoder: WordEncoder, make_case: Make
) -> None:
    before = datetime.now(UTC) - timedelta(hours=2)
    make(archive_source(folder), making=Making(now=lambda: before))
    opened.desk.upkeep.backups.look()
    settle(qtbot, opened)
    assert len(backups_of(archive_source(folder))) == 1
    archive = opened.desk.archive.archive
    assert archive is not None
    archive.add_case(make_case("later", "Fracture."), encoder.id)
    opened.desk.upkeep.backups.look()
    settle(qtbot, opened)
    assert [one.rows for one in backups_of(archive_source(folder))] == [2, 3]


def test_a_failure_of_a_backup_that_nobody_asked_for_is_told_once(
    qtbot: QtBot, opened: App, private_home: Path
) -> None:
    (private_home / "backups").write_text("a file where the folder should be")
    for _ in range(2):
        opened.desk.upkeep.backups.look()
        settle(qtbot, opened)
        assert ("cannot be written" in text(opened)) is (_ == 0)
        opened.desk.messages.dismiss()


def test_back_up_now_says_what_it_did(qtbot: QtBot, opened: App, tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "workspace") as workspace:
        workspace.save_edit("1.2", "No effusion.")
    opened.actions.actions["back_up"].trigger()
    settle(qtbot, opened)
    assert text(opened) == "Backed up 1 report and 2 cases."
    opened.actions.actions["back_up"].trigger()
    settle(qtbot, opened)
    assert text(opened) == "Nothing changed since the newest backup."


def test_the_open_archive_is_restored_and_what_was_there_is_set_aside(qtbot: QtBot, opened: App, folder: Path) -> None:
    make(archive_source(folder))
    desk = opened.desk
    archive = desk.archive.archive
    assert archive is not None
    archive.delete([1])
    questions: list[str] = []
    desk.upkeep.backups.asked.connect(questions.append)
    with qtbot.waitSignal(desk.upkeep.backups.listed) as listed:
        opened.actions.actions["restore_backup"].trigger()
    (one,) = listed.args[0]
    (chooser,) = opened.window.findChildren(Chooser)
    assert WORKSPACE in [label.text() for label in chooser.findChildren(QLabel)]
    chooser.close()
    assert "2 cases" in one.text
    desk.upkeep.backups.ask(one.path)
    assert "nothing is deleted" in questions[0]
    desk.upkeep.backups.confirm()
    settle(qtbot, opened)
    assert desk.archive.stats["cases"] == 2
    assert "Restored 2 cases" in text(opened)
    (aside,) = folder.parent.glob("archive.before-restore-*")
    with Archive.open(aside) as old:
        assert old.stats()["cases"] == 1


def test_a_damaged_archive_is_opened_read_only_with_what_can_be_read_and_offers_its_backup(
    qtbot: QtBot, app: App, folder: Path, private_home: Path
) -> None:
    make(archive_source(folder))
    with sqlite3.connect(folder / "archive.db") as db:
        db.execute("UPDATE settings SET value = 'changed by hand' WHERE name = 'bundle_id'")
    db.close()
    app.desk.archive.open(folder)
    settle(qtbot, app)
    archive = app.desk.archive.archive
    assert archive is not None
    assert archive.read_only
    assert (app.desk.archive.home, app.desk.archive.name) == (folder, folder.name)
    assert app.desk.settings.now.archive == str(folder)
    assert "2 cases of it can be searched, not changed. Its newest backup is 0 minutes old." in text(app)
    app.window.message_bar.action.click()
    app.desk.upkeep.backups.confirm()
    settle(qtbot, app)
    archive = app.desk.archive.archive
    assert archive is not None
    assert (archive.folder, archive.read_only, archive.stats()["cases"]) == (folder, False, 2)
    assert list((private_home / "salvaged").iterdir()) == []
    (aside,) = folder.parent.glob("archive.before-restore-*")
    assert salvage(aside, private_home / "again")[1].cases == 2


def test_of_an_archive_of_which_nothing_can_be_read_the_backup_is_offered(qtbot: QtBot, app: App, folder: Path) -> None:
    make(archive_source(folder))
    (folder / "archive.db").write_bytes(b"SQLite format 3\0" + bytes(9000))
    app.desk.archive.open(folder)
    settle(qtbot, app)
    message = app.desk.messages.message
    assert message is not None
    assert message.kind == PROBLEM
    assert "Its newest backup is 0 minutes old" in message.text
    assert app.window.message_bar.action.text() == "Restore backup…"
    app.window.message_bar.action.click()
    app.desk.upkeep.backups.confirm()
    settle(qtbot, app)
    assert app.desk.archive.stats["cases"] == 2
