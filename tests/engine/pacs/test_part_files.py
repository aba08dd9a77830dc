"""Files that get their names together: whole or not at all, private, and over what a killed process has left."""

import os
import stat
from pathlib import Path

import pytest

from engine.pacs.part_files import begin, finish


def written(folder: Path, **contents: bytes) -> None:
    finish([begin(folder / f"{name}.dcm", content) for name, content in contents.items()])


def test_each_file_has_its_content_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    written(tmp_path, a=b"one", b=b"", c=bytes(5 << 20))
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"a.dcm": 3, "b.dcm": 0, "c.dcm": 5 << 20}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_what_a_killed_process_has_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.dcm.new").write_bytes(b"half of something longer")
    written(tmp_path, a=b"whole")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.dcm": b"whole"}


def test_no_file_has_its_name_before_all_that_are_finished_with_it_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        assert [path.name for path in tmp_path.glob("*.dcm")] == []
        flushed.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    written(tmp_path, a=b"one", b=b"two")
    assert len(flushed) == 2
    assert len([*tmp_path.glob("*.dcm")]) == 2


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_leaves_the_old_files_and_none_of_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    (tmp_path / "a.dcm").write_bytes(b"old")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left"):
        written(tmp_path, a=b"new", b=b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.dcm": b"old"}
