"""Files written in batches: whole or not at all, private, and over what a killed process has left."""

import os
import stat
from pathlib import Path

import pytest

from engine.pacs.batch import write_batch


def test_each_file_has_its_content_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    write_batch(tmp_path, [("a.dcm", b"one"), ("b.dcm", b""), ("c.dcm", bytes(5 << 20))])
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"a.dcm": 3, "b.dcm": 0, "c.dcm": 5 << 20}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_what_a_killed_process_has_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.dcm.new").write_bytes(b"half")
    write_batch(tmp_path, [("a.dcm", b"whole")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.dcm": b"whole"}


def test_no_file_has_its_name_before_all_of_the_batch_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        assert [path.name for path in tmp_path.glob("*.dcm")] == []
        flushed.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_batch(tmp_path, [("a.dcm", b"one"), ("b.dcm", b"two")])
    assert len(flushed) == 2
    assert len([*tmp_path.glob("*.dcm")]) == 2


def test_a_full_disk_leaves_the_old_files_and_none_of_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_batch(tmp_path, [("a.dcm", b"new"), ("b.dcm", b"new")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.dcm": b"old"}
