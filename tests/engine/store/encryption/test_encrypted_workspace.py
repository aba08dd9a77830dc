"""Encrypted reports: nothing of them in any file, and restored from plain and from encrypted backups."""

from pathlib import Path

import pytest

from engine.errors import LockedError, UserError
from engine.reports.workspace import Workspace
from engine.store.backup.backup import Backup
from engine.store.backup.making import Making, make
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import workspace_source
from engine.store.encryption.convert import decrypt, encrypt
from engine.store.encryption.key_file import FILE
from engine.store.encryption.unlocked import is_encrypted, unlock
from tests.engine.store.encryption.conftest import OTHER, PASSPHRASE, forget_keys

TEXT = "Zwiebelschale of the spleen."


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A plain workspace with one report."""
    with Workspace.open(tmp_path / "home") as workspace:
        workspace.save_edit("1.2.3", TEXT)
    return tmp_path / "home"


def backup_of(folder: Path) -> Backup:
    made = make(workspace_source(folder), folder.parent / "backups", Making(always=True))
    assert made is not None
    return made


def text(folder: Path) -> str:
    with Workspace.open(folder) as workspace:
        report = workspace.load("1.2.3")
        assert report is not None
        assert workspace.audit_problems() == []
        return report.document.text


def test_no_word_of_a_report_is_in_any_file_also_while_it_is_written(home: Path) -> None:
    encrypt(workspace_source(home), PASSPHRASE)
    assert text(home) == TEXT
    with Workspace.open(home) as workspace:
        workspace.save_edit("4.5.6", "Another Zwiebelschale.")
        assert not any(b"Zwiebel" in path.read_bytes() for path in home.iterdir() if path.is_file())
    forget_keys()
    with pytest.raises(LockedError):
        Workspace.open(home)
    unlock(home, PASSPHRASE)
    decrypt(workspace_source(home))
    assert b"Zwiebel" in (home / "workspace.db").read_bytes()
    assert not (home / FILE).exists()


def test_a_plain_backup_over_encrypted_reports_makes_them_plain(home: Path) -> None:
    backup = backup_of(home)
    encrypt(workspace_source(home), PASSPHRASE)
    with Workspace.open(home) as workspace:
        workspace.save_edit("1.2.3", "Later.")
    restore_workspace(backup, home)
    forget_keys()
    assert text(home) == TEXT
    assert not (home / FILE).exists()


def test_an_encrypted_backup_is_restored_on_a_new_computer_with_its_passphrase(home: Path, tmp_path: Path) -> None:
    encrypt(workspace_source(home), PASSPHRASE)
    backup = backup_of(home)
    forget_keys()
    new = tmp_path / "new"
    Workspace.open(new).close()
    with pytest.raises(LockedError):
        restore_workspace(backup, new)
    unlock(backup.path, PASSPHRASE)
    restore_workspace(backup, new)
    assert is_encrypted(new / "workspace.db")
    forget_keys()
    unlock(new, PASSPHRASE)
    assert text(new) == TEXT


def test_over_reports_with_another_key_a_backup_is_refused_and_nothing_changes(home: Path, tmp_path: Path) -> None:
    encrypt(workspace_source(home), PASSPHRASE)
    backup = backup_of(home)
    other = tmp_path / "other"
    with Workspace.open(other) as workspace:
        workspace.save_edit("1.2.3", "Of the other one.")
    encrypt(workspace_source(other), OTHER)
    with pytest.raises(UserError, match="kindred decrypt --workspace"):
        restore_workspace(backup, other)
    assert text(other) == "Of the other one."
