"""Derived files: encrypted where the database is, and what was changed in them is not taken."""

from pathlib import Path

import pytest

from engine.errors import LockedError
from engine.store.backup.source import archive_source
from engine.store.encryption import derived_file
from engine.store.encryption.convert import encrypt
from engine.store.encryption.derived_file import MAGIC, open_derived, write_derived
from tests.engine.store.encryption.conftest import PASSPHRASE, forget_keys

WORDS = b"Zwiebelschale " * 50


def content(path: Path) -> bytes:
    with open_derived(path) as file:
        return file.read()


@pytest.fixture
def path(folder: Path) -> Path:
    """Of a derived file in an encrypted archive."""
    encrypt(archive_source(folder), PASSPHRASE)
    return folder / "some.index"


def test_what_is_written_is_read_and_stands_nowhere_in_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived_file, "BLOCK", 100)
    write_derived(path, [b"a", b"", WORDS])
    assert content(path) == b"a" + WORDS
    assert b"Zwiebel" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_every_changed_byte_and_every_swapped_block_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derived_file, "BLOCK", 100)
    write_derived(path, [WORDS[:200]])
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert content(path) != WORDS[:200]
    first = len(MAGIC)
    half = (len(whole) - first) // 2
    path.write_bytes(whole[:first] + whole[first + half :] + whole[first : first + half])
    assert content(path) == b""


def test_a_plain_file_in_an_encrypted_folder_is_not_taken(path: Path) -> None:
    path.write_bytes(WORDS)
    assert content(path) == b""


def test_in_a_plain_folder_the_file_is_plain(folder: Path) -> None:
    write_derived(folder / "some.index", [WORDS])
    assert (folder / "some.index").read_bytes() == WORDS
    assert content(folder / "some.index") == WORDS


def test_a_locked_folder_is_neither_read_nor_written(path: Path) -> None:
    write_derived(path, [WORDS])
    before = path.read_bytes()
    forget_keys()
    with pytest.raises(LockedError):
        content(path)
    with pytest.raises(LockedError):
        write_derived(path, [b"new"])
    assert path.read_bytes() == before
