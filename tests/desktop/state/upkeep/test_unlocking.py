"""An encrypted archive and encrypted reports in the app: the passphrase is asked for until it is right, or left."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.app import App
from desktop.state.upkeep.unlocking import ARCHIVE_LOCKED, BACKUP_UNLOCKED, REPORTS_LOCKED, WRONG
from desktop.views.upkeep.passphrase_dialog import PassphraseDialog
from engine.archive import Archive
from engine.errors import UserError
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.making import make
from engine.store.backup.source import archive_source, workspace_source
from engine.store.case import NewCase
from engine.store.encryption import key_file, system_keyring, unlocked
from engine.store.encryption.convert import encrypt
from tests.desktop.conftest import settle
from tests.engine.conftest import WordEncoder, encoder, make_case

__all__ = ["encoder", "make_case"]
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_and_locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stretching takes a millisecond here, and no test has the keys of another one."""
    monkeypatch.setattr(key_file, "COST", 1 << 10)
    unlocked._keys.clear()
    yield
    unlocked._keys.clear()


@pytest.fixture
def folder(tmp_path: Path, encoder: WordEncoder, make_case: Callable[..., NewCase]) -> Path:
    """A locked archive of one case."""
    with Archive.create(tmp_path / "archive", encoder.id) as archive:
        archive.add_case(make_case("1", "No effusion.", [1]), encoder.id)
    encrypt(archive_source(archive.folder), PASSPHRASE)
    unlocked._keys.clear()
    return archive.folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Locked reports in the folder that the app uses."""
    folder = tmp_path / "workspace"
    Workspace.open(folder).close()
    encrypt(workspace_source(folder), PASSPHRASE)
    unlocked._keys.clear()
    return folder


def dialog(app: App) -> PassphraseDialog | None:
    """The dialog on screen."""
    found = [one for one in app.window.findChildren(PassphraseDialog) if one.isVisible()]
    assert len(found) <= 1
    return found[0] if found else None


def answer(qtbot: QtBot, app: App, passphrase: str) -> None:
    """Type a passphrase and press Return."""
    shown = dialog(app)
    assert shown is not None
    shown.field.setText(passphrase)
    qtbot.keyClick(shown.field, Qt.Key.Key_Return)
    settle(qtbot, app)


def text(app: App) -> str:
    message = app.desk.messages.message
    return message.text if message is not None else ""


def test_the_passphrase_of_an_archive_is_asked_until_it_is_right_and_it_opens(
    qtbot: QtBot, app: App, folder: Path
) -> None:
    app.desk.archive.open(folder)
    settle(qtbot, app)
    shown = dialog(app)
    assert shown is not None
    assert shown.field.echoMode() == QLineEdit.EchoMode.Password
    assert not shown.unlock.isEnabled()
    for wrong in ("wrong", "Correct horse battery", "once more", "and again"):
        answer(qtbot, app, wrong)
        assert shown.problem.text() == WRONG
        assert not shown.field.isReadOnly()
        assert app.desk.archive.archive is None
    answer(qtbot, app, PASSPHRASE)
    assert dialog(app) is None
    assert app.desk.archive.stats["cases"] == 1
    assert text(app) == ""


def test_an_archive_that_is_left_locked_can_be_unlocked_from_the_message(qtbot: QtBot, app: App, folder: Path) -> None:
    app.desk.archive.open(folder)
    settle(qtbot, app)
    shown = dialog(app)
    assert shown is not None
    shown.reject()
    settle(qtbot, app)
    message = app.desk.messages.message
    assert message is not None
    assert message.text == ARCHIVE_LOCKED
    assert message.run is not None
    message.run()
    answer(qtbot, app, PASSPHRASE)
    assert app.desk.archive.stats["cases"] == 1


def test_one_passphrase_of_reports_and_archive_is_asked_for_once(
    qtbot: QtBot, unopened: App, folder: Path, workspace: Path
) -> None:
    unopened.desk.report.open_workspace()
    unopened.desk.archive.open(folder)
    settle(qtbot, unopened)
    opened: list[object] = []
    unopened.desk.report.workspace_opened.connect(opened.append)
    answer(qtbot, unopened, PASSPHRASE)
    assert dialog(unopened) is None
    assert unopened.desk.archive.stats["cases"] == 1
    assert len(opened) == 1


def test_each_of_two_passphrases_is_asked_for(qtbot: QtBot, unopened: App, folder: Path, workspace: Path) -> None:
    key = unlocked.unlocked_key
    unlocked.unlock(workspace, PASSPHRASE)
    key_file.write_key(workspace, key(workspace), "another horse entirely")
    unlocked._keys.clear()
    unopened.desk.report.open_workspace()
    settle(qtbot, unopened)
    unopened.desk.archive.open(folder)
    settle(qtbot, unopened)
    answer(qtbot, unopened, "another horse entirely")
    shown = dialog(unopened)
    assert shown is not None
    answer(qtbot, unopened, PASSPHRASE)
    assert unopened.desk.archive.stats["cases"] == 1


def test_while_the_reports_are_locked_it_is_said_and_nothing_is_backed_up_or_asked_again(
    qtbot: QtBot, unopened: App, workspace: Path
) -> None:
    unopened.desk.report.open_workspace()
    settle(qtbot, unopened)
    shown = dialog(unopened)
    assert shown is not None
    shown.reject()
    settle(qtbot, unopened)
    assert text(unopened) == REPORTS_LOCKED
    unopened.desk.upkeep.backups.look()
    settle(qtbot, unopened)
    assert dialog(unopened) is None
    assert backups_of(workspace_source(workspace)) == []


def test_a_locked_backup_is_unlocked_and_not_opened_as_an_archive(
    qtbot: QtBot, app: App, folder: Path, tmp_path: Path
) -> None:
    unlocked.unlock(folder, PASSPHRASE)
    backup = make(archive_source(folder))
    assert backup is not None
    unlocked._keys.clear()
    backups = app.desk.upkeep.backups
    backups.ask(backup.path, tmp_path / "restored")
    backups.confirm()
    settle(qtbot, app)
    before = sorted(path.name for path in backup.path.iterdir())
    answer(qtbot, app, PASSPHRASE)
    assert text(app) == BACKUP_UNLOCKED
    assert app.desk.archive.archive is None
    assert sorted(path.name for path in backup.path.iterdir()) == before
    backups.ask(backup.path, tmp_path / "restored")
    backups.confirm()
    settle(qtbot, app)
    assert app.desk.archive.stats["cases"] == 1


def test_a_passphrase_is_remembered_if_asked_and_what_hinders_that_is_said(
    qtbot: QtBot, app: App, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []

    def keep(key_id: str, passphrase: str) -> None:
        kept.append(passphrase)
        raise UserError("The passphrase was not remembered: this session has no keyring.")

    monkeypatch.setattr(system_keyring, "keep", keep)
    app.desk.archive.open(folder)
    settle(qtbot, app)
    shown = dialog(app)
    assert shown is not None
    shown.remember.setChecked(True)
    answer(qtbot, app, PASSPHRASE)
    assert kept == [PASSPHRASE]
    assert text(app) == "The passphrase was not remembered: this session has no keyring."
    assert app.desk.archive.stats["cases"] == 1
