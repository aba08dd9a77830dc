"""A backup is whole or not there, and holds every row of what it was made of."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.reports.workspace import Workspace
from engine.store.backup.backup import backups_of, check
from engine.store.backup.location import backup_folder, choose_folder
from engine.store.backup.making import Making, make
from engine.store.backup.policy import Policy
from engine.store.backup.restore import find, restore_archive, restore_workspace
from engine.store.backup.source import archive_source, workspace_source
from engine.store.case import NewCase
from tests.paths import ROOT

Make = Callable[..., NewCase]
NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    for n in range(4):
        archive.add_case(make_case(str(n), f"Report {n}: no effusion.", seeds=[n]))
    archive.index.refresh(save=True)
    return archive


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of an archive, and its key."""
    db = sqlite3.connect(folder / "archive.db")
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        rows = {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}
        return {**rows, "key": [((folder / "identity.key").read_bytes(),)]}
    finally:
        db.close()


def test_a_backup_of_an_archive_in_use_has_every_row_and_is_restored_with_a_new_index(
    filled: Archive, tmp_path: Path, make_case: Make
) -> None:
    before = content(filled.folder)
    backup = make(archive_source(filled.folder))
    assert backup is not None
    assert (backup.rows, backup.kind, backup.of) == (4, "archive", filled.folder)
    assert backup.path.is_relative_to(backup_folder())
    filled.add_case(make_case("later", "Fracture of the left femur."))
    target = tmp_path / "restored"
    assert restore_archive(backup, target) is None
    assert content(target) == before
    with Archive.open(target) as restored:
        assert restored.problems(deep=True) == []
        assert restored.index.state() == "missing"
        assert restored.rebuild() == 8
    check(backup)  # restoring has not changed it
    assert {path.stat().st_mode & 0o777 for path in backup.path.iterdir() if path.name != "backup.json"} == {0o600}
    assert backup.path.stat().st_mode & 0o777 == 0o700


def test_nothing_is_copied_when_nothing_changed(filled: Archive, make_case: Make) -> None:
    source = archive_source(filled.folder)
    assert make(source) is not None
    assert make(source) is None
    filled.close()  # moves the log into the file, which is no change
    assert make(source) is None
    assert len(backups_of(source)) == 1
    filled.add_case(make_case("later", "Fracture."))
    assert make(source) is not None


def test_older_backups_are_dropped_by_the_policy_once_the_new_one_is_whole(filled: Archive) -> None:
    source = archive_source(filled.folder)
    for hours in range(5):
        at = NOW + timedelta(hours=hours)
        made = make(source, making=Making(always=True, policy=Policy(2, 1, 1), now=lambda at=at: at))
        assert made is not None
    assert [one.made for one in backups_of(source)] == [NOW + timedelta(hours=3), NOW + timedelta(hours=4)]


def test_what_is_there_is_set_aside_and_never_overwritten(filled: Archive, make_case: Make) -> None:
    backup = make(archive_source(filled.folder))
    assert backup is not None
    filled.add_case(make_case("later", "Fracture."))
    with pytest.raises(UserError, match="Another program has the archive"):
        restore_archive(backup, filled.folder)
    filled.close()
    later = content(filled.folder)
    aside = restore_archive(backup, filled.folder)
    assert aside is not None
    assert content(aside) == later
    with Archive.open(filled.folder) as restored:
        assert restored.stats()["cases"] == 4


def test_a_folder_that_is_no_archive_is_not_replaced(filled: Archive, tmp_path: Path) -> None:
    backup = make(archive_source(filled.folder))
    assert backup is not None
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="something else than an archive"):
        restore_archive(backup, other)
    assert [path.name for path in tmp_path.iterdir() if "thesis" in path.name] == ["thesis"]


def test_a_damaged_backup_is_refused_and_an_earlier_one_named(filled: Archive, tmp_path: Path) -> None:
    backup = make(archive_source(filled.folder))
    assert backup is not None
    path = backup.path / "archive.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="is damaged; choose an earlier one"):
        restore_archive(backup, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_a_damaged_database_replaces_no_backup(filled: Archive) -> None:
    source = archive_source(filled.folder)
    assert make(source) is not None
    filled.close()
    data = bytearray(source.path.read_bytes())
    data[8192:12288] = bytes(4096)
    source.path.write_bytes(data)
    with pytest.raises(UserError, match="is damaged"):
        make(source, making=Making(policy=Policy(1, 1, 1)))
    assert len(backups_of(source)) == 1


def test_a_backup_can_be_ended_and_leaves_nothing(filled: Archive) -> None:
    source = archive_source(filled.folder)
    with pytest.raises(Cancelled):
        make(source, making=Making(cancelled=lambda: True))
    assert list((backup_folder() / source.name).iterdir()) == []


def test_a_chosen_folder_that_is_gone_is_not_made_anew(filled: Archive, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    choose_folder(drive)
    assert make(archive_source(filled.folder)) is not None
    shutil.rmtree(drive)
    with pytest.raises(UserError, match="connect its drive"):
        make(archive_source(filled.folder))
    assert not drive.exists()


def test_a_full_disk_is_told_before_anything_is_written(filled: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(filled.folder)._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: free)
    with pytest.raises(UserError, match="free some space or choose another folder"):
        make(archive_source(filled.folder))


def test_reports_settings_and_templates_are_restored_and_what_was_there_is_set_aside(private_home: Path) -> None:
    settings, template = private_home / "settings.json", private_home / "templates" / "own.html"
    template.parent.mkdir()
    template.write_text("as before")
    settings.write_text('{"theme": "light"}')
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
        backup = make(workspace_source())
        assert backup is not None
        assert backup.rows == 1
        workspace.save_edit("1.2.3", "Effusion.")
        settings.write_text("{}")
        template.unlink()
        aside = restore_workspace(backup)  # also while the app has it open
        report = workspace.load("1.2.3")
    assert report is not None
    assert report.text == "No effusion."
    assert (settings.read_text(), template.read_text()) == ('{"theme": "light"}', "as before")
    assert aside is not None
    assert (aside / "settings.json").read_text() == "{}"
    with Workspace.open(aside) as old:
        report = old.load("1.2.3")
        assert report is not None
        assert report.text == "Effusion."


def test_a_damaged_workspace_is_restored(private_home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
    backup = make(workspace_source())
    assert backup is not None
    (private_home / "workspace.db").write_bytes(b"no database at all" * 300)
    aside = restore_workspace(find(backup.path.parent))
    assert aside is not None
    assert (aside / "workspace.db").read_bytes().startswith(b"no database")
    with Workspace.open() as workspace:
        assert workspace.load("1.2.3") is not None


KILLED = """
import os, sys
from pathlib import Path
from engine.store.backup.making import make
from engine.store.backup.restore import find, restore_archive
from engine.store.backup.source import archive_source

archive, backup = Path(sys.argv[1]), sys.argv[2]

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.mkdir", "shutil.rmtree"):
        left -= 1
        if left < 0:
            os._exit(9)

for line in sys.stdin:
    left = int(line)
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        if backup:
            restore_archive(find(Path(backup)), archive)
        else:
            make(archive_source(archive))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def kills(archive: Path, backup: str) -> Iterator[int]:
    """Kill a process at its first touch of the disk, another one at its second, and so on, until one ends by itself."""
    command = [sys.executable, "-c", KILLED, str(archive), backup]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in count():
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            if code == 0:
                return
            assert code == 9
            yield step


@NEEDS_FORK
def test_a_kill_in_the_middle_of_a_backup_leaves_only_whole_ones(filled: Archive, make_case: Make) -> None:
    source = archive_source(filled.folder)
    first = make(source)
    assert first is not None
    filled.add_case(make_case("later", "Fracture."))
    filled.close()
    kills_seen = 0
    for _ in kills(filled.folder, ""):
        for one in backups_of(source):
            check(one)
        kills_seen += 1
    assert kills_seen > 3
    assert backups_of(source)[-1].files != first.files
    assert filled.problems(deep=True) == []


@NEEDS_FORK
def test_a_kill_in_the_middle_of_a_restore_leaves_the_old_archive_or_the_new_one(
    filled: Archive, make_case: Make
) -> None:
    folder = filled.folder
    backup = make(archive_source(folder))
    assert backup is not None
    filled.add_case(make_case("later", "Fracture."))
    filled.close()
    seen = []
    for _ in kills(folder, str(backup.path)):
        with Archive.open(folder) as archive:
            seen.append(archive.stats()["cases"])
            assert archive.problems(deep=True) == []
    assert set(seen) == {4, 5}
    assert len(seen) > 3
