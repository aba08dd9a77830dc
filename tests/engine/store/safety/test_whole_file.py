"""What is renamed into place has been flushed before, with its folder after; a failure leaves the old content."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.state import settings
from engine import known_bundles
from engine.archive import Archive
from engine.models.bundle_folder import new_folder
from engine.models.manifest import FILE_NAME
from engine.resources import user_folder
from engine.store import identity
from engine.store.safety.whole_file import write_whole


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Names in the order in which they are flushed or renamed."""
    made: list[tuple[str, str]] = []
    fsync, replace, rename = os.fsync, Path.replace, Path.rename

    def note_flush(descriptor: int) -> None:
        made.append(("flush", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        fsync(descriptor)

    def note(move: Callable) -> Callable:
        def moved(self: Path, target: Path) -> Path:
            made.append(("rename", self.name))
            return move(self, target)

        return moved

    monkeypatch.setattr(os, "fsync", note_flush)
    monkeypatch.setattr(Path, "replace", note(replace))
    monkeypatch.setattr(Path, "rename", note(rename))
    return made


def save_index(folder: Path, archive: Archive) -> None:
    archive.index.refresh(save=True)


def save_key(folder: Path, archive: Archive) -> None:
    identity.create_key(folder)


def save_settings(folder: Path, archive: Archive) -> None:
    settings.write(folder / settings.FILE, settings.Settings())


def save_known_bundles(folder: Path, archive: Archive) -> None:
    class Known:
        id, folder = "1", user_folder()

    known_bundles.remember(Known())  # type: ignore[arg-type]


def save_bundle(folder: Path, archive: Archive) -> None:
    with new_folder(folder / "bundle") as fresh:
        (fresh / FILE_NAME).write_text("{}")


@pytest.mark.folder
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="names of open files as Linux has them")
@pytest.mark.parametrize("save", [save_index, save_key, save_settings, save_known_bundles, save_bundle])
def test_whatever_is_renamed_into_place_is_flushed_first_and_its_folder_after(
    tmp_path: Path, archive: Archive, calls: list[tuple[str, str]], save: Callable
) -> None:
    save(tmp_path, archive)
    renames = [index for index, (what, _) in enumerate(calls) if what == "rename"]
    assert len(renames) == 1
    assert ("flush", calls[renames[0]][1]) in calls[: renames[0]]
    assert any(what == "flush" for what, _ in calls[renames[0] + 1 :])


def test_a_failed_write_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    write_whole(path, [b"old"])

    def parts():
        yield b"ne"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, parts())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_killed_process_left_is_removed_an_hour_later(tmp_path: Path) -> None:
    old, recent = tmp_path / "some.json.a.new", tmp_path / "some.json.b.new"
    for path in (old, recent):
        path.write_bytes(b"ha")
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    write_whole(tmp_path / "some.json", [b"new"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.json", "some.json.b.new"]
