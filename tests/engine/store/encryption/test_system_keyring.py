"""Passphrases in the keyring of the account: kept on request only, used, changed and forgotten."""

from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError, PasswordSetError

from engine.archive import Archive
from engine.cli import main
from engine.errors import LockedError, UserError
from engine.store.backup.source import archive_source
from engine.store.encryption import system_keyring
from engine.store.encryption.convert import change_passphrase, decrypt, encrypt
from engine.store.encryption.key_file import FILE, read_id
from engine.store.encryption.unlocked import VARIABLE, unlock
from tests.engine.store.encryption.conftest import OTHER, PASSPHRASE, forget_keys
from tests.memory_keyring import MemoryKeyring


@pytest.fixture
def encrypted(folder: Path) -> Path:
    """A locked archive."""
    encrypt(archive_source(folder), PASSPHRASE)
    forget_keys()
    return folder


def test_nothing_is_kept_unless_somebody_asks_for_it(encrypted: Path, ring: MemoryKeyring) -> None:
    assert ring.kept == {}
    with pytest.raises(LockedError):
        Archive.open(encrypted)


def test_what_is_kept_opens_follows_a_change_and_goes_with_the_encryption(
    encrypted: Path, ring: MemoryKeyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "passphrase"))
    assert main.main(["passphrase", str(encrypted), "--remember"]) == 0
    monkeypatch.delenv(VARIABLE)
    assert ring.kept == {("kindred", read_id(encrypted)): PASSPHRASE}
    forget_keys()
    Archive.open(encrypted).close()
    change_passphrase(encrypted, OTHER)
    forget_keys()
    Archive.open(encrypted).close()
    decrypt(archive_source(encrypted))
    assert ring.kept == {}


def test_what_is_forgotten_is_asked_for_again(
    encrypted: Path, ring: MemoryKeyring, capsys: pytest.CaptureFixture[str]
) -> None:
    system_keyring.keep(read_id(encrypted), PASSPHRASE)
    for said in ("is no longer in the keyring", "was not in the keyring"):
        assert main.main(["passphrase", str(encrypted), "--forget"]) == 0
        assert said in capsys.readouterr().out
    with pytest.raises(LockedError):
        Archive.open(encrypted)


def test_a_kept_passphrase_that_was_changed_elsewhere_is_no_obstacle(encrypted: Path, ring: MemoryKeyring) -> None:
    system_keyring.keep(read_id(encrypted), OTHER)
    with pytest.raises(LockedError):
        Archive.open(encrypted)


def test_a_keyring_that_refuses_to_forget_says_so_and_does_not_keep_an_archive_from_being_decrypted(
    encrypted: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(service: str, name: str) -> None:
        raise PasswordDeleteError("dismissed")

    system_keyring.keep(read_id(encrypted), PASSPHRASE)
    monkeypatch.setattr(ring, "delete_password", refuse)
    assert main.main(["passphrase", str(encrypted), "--forget"]) == 2
    assert "is still in the keyring" in capsys.readouterr().err
    decrypt(archive_source(encrypted))
    assert not (encrypted / FILE).exists()


def test_a_keyring_that_refuses_a_changed_passphrase_hides_not_that_it_was_changed(
    encrypted: Path, ring: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(service: str, name: str, password: str) -> None:
        raise PasswordSetError("dismissed")

    system_keyring.keep(read_id(encrypted), PASSPHRASE)
    monkeypatch.setattr(ring, "set_password", refuse)
    with pytest.raises(UserError, match="was changed, but not in the keyring"):
        change_passphrase(encrypted, OTHER)
    unlock(encrypted, OTHER)


def test_without_a_keyring_as_on_a_server_it_is_said_and_nothing_else_changes(encrypted: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(NoKeyring())
    try:
        assert system_keyring.recall(read_id(encrypted)) is None
        with pytest.raises(UserError, match="was not remembered: this session has no keyring"):
            system_keyring.keep(read_id(encrypted), PASSPHRASE)
        with pytest.raises(LockedError):
            Archive.open(encrypted)
    finally:
        keyring.set_keyring(before)


def test_without_the_package_an_archive_opens_by_its_passphrase(
    encrypted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_keyring, "is_installed", lambda: False)
    assert system_keyring.recall("x") is None
    with pytest.raises(UserError, match="the package keyring is not installed"):
        system_keyring.keep("x", PASSPHRASE)
    with pytest.raises(LockedError):
        Archive.open(encrypted)
