"""The key file: only the passphrase opens it, and what is damaged is said."""

import json
from pathlib import Path

import pytest

from engine.errors import DamagedError, UserError
from engine.store.encryption.key_file import (
    FILE,
    WrongPassphraseError,
    check_strength,
    new_key,
    read_id,
    unwrap,
    write_key,
)
from tests.engine.store.encryption.conftest import OTHER, PASSPHRASE


def test_the_passphrase_gives_the_key_and_another_one_does_not(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path, key, PASSPHRASE)
    assert unwrap(tmp_path, PASSPHRASE) == key
    assert read_id(tmp_path) == key.id
    for wrong in (OTHER, "", PASSPHRASE + " ", PASSPHRASE.upper()):
        with pytest.raises(WrongPassphraseError, match="type it again"):
            unwrap(tmp_path, wrong)


def test_neither_the_key_nor_the_passphrase_is_in_the_file_or_in_what_is_printed(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path, key, PASSPHRASE)
    text = (tmp_path / FILE).read_text() + repr(key)
    assert key.secret.hex() not in text
    assert repr(key.secret) not in text
    assert PASSPHRASE not in text
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_a_letter_opens_however_a_keyboard_composes_it(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path, key, "Röntgenbild und Schädel")
    assert unwrap(tmp_path, "Ro\u0308ntgenbild und Scha\u0308del") == key


def test_two_files_of_one_key_and_passphrase_share_nothing_but_the_id(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path, key, PASSPHRASE)
    before = json.loads((tmp_path / FILE).read_text())
    write_key(tmp_path, key, PASSPHRASE)
    after = json.loads((tmp_path / FILE).read_text())
    assert before["scrypt"]["salt"] != after["scrypt"]["salt"]
    assert before["aes-256-gcm"] != after["aes-256-gcm"]


def test_each_purpose_has_bytes_of_its_own() -> None:
    key = new_key()
    assert len({key.derived("database"), key.derived("derived files"), key.secret}) == 3
    assert key.derived("database") == key.derived("database")


def test_a_short_passphrase_is_refused_with_what_is_needed() -> None:
    with pytest.raises(UserError, match="at least 10 characters"):
        check_strength("too short")
    check_strength("long enough")


@pytest.mark.parametrize(
    "change",
    [
        {"scrypt": {"n": 1 << 40, "r": 8, "p": 1, "salt": "00" * 16}},
        {"scrypt": {"n": 1 << 10, "r": 1 << 20, "p": 1, "salt": "00" * 16}},
        {"scrypt": None},
        {"aes-256-gcm": {"nonce": "00", "wrapped": "xyz"}},
        {"id": 7},
        {"version": "new"},
    ],
)
def test_a_file_of_others_takes_no_memory_and_is_called_damaged(tmp_path: Path, change: dict[str, object]) -> None:
    write_key(tmp_path, new_key(), PASSPHRASE)
    content = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**content, **change}))
    with pytest.raises(DamagedError, match="restore it from a backup"):
        unwrap(tmp_path, PASSPHRASE)


def test_a_key_of_another_id_does_not_open(tmp_path: Path) -> None:
    write_key(tmp_path, new_key(), PASSPHRASE)
    content = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**content, "id": "0" * 16}))
    with pytest.raises(WrongPassphraseError):
        unwrap(tmp_path, PASSPHRASE)


def test_a_file_of_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    write_key(tmp_path, new_key(), PASSPHRASE)
    content = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps({**content, "version": 2}))
    with pytest.raises(UserError, match="update Kindred"):
        read_id(tmp_path)
