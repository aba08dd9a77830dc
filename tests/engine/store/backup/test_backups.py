"""A backup is whole or not there, and holds every row of what it was made of."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.errors import Cancelled, UserError
from engine.store.backup.backup import backups_of, check
from engine.store.backup.location import backup_folder, choose_folder
from engine.store.backup.making import Making, make
from engine.store.backup.policy import Policy
from engine.store.backup.restore import restore_archive
from engine.store.backup.source import archive_source
from engine.store.case import NewCase
from tests.engine.store.backup.kills import NEEDS_FORK, kills

Make = Callable[..., NewCase]
AUDIT = ("audit", "audit_chain", "audit_head", "sqlite_sequence")
NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


@pytest.fixture
def filled(archive: Archive, make_case: Make) -> Archive:
    for n in range(4):
        archive.add_case(make_case(str(n), f"Report {n}: no effusion.", seeds=[n]))
    archive.index.refresh(save=True)
    return archive


def content(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of an archive but those that tell of its audit, and its key."""
    db = sqlite3.connect(folder / "archive.db")
    try:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        rows = {name: sorted(db.execute(f"SELECT * FROM {name}"), key=repr) for name in tables if name not in AUDIT}
        rows["checksums"] = [row for row in rows["checksums"] if row[0] != "audit"]
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


def test_a_restored_archive_says_so_in_its_audit(filled: Archive, tmp_path: Path) -> None:
    filled.delete([4])
    backup = make(archive_source(filled.folder))
    assert backup is not None
    restore_archive(backup, tmp_path / "restored")
    with Archive.open(tmp_path / "restored") as restored:
        assert restored.audit_problems() == []
        assert restored.problems(deep=True) == []
        assert [(row["action"], row["detail"]) for row in restored.audit()] == [
            ("case deleted", ""),
            ("restored", f"as of {backup.made.isoformat(timespec='seconds')}"),
        ]


def test_nobody_opens_an_archive_while_it_is_restored(filled: Archive) -> None:
    backup = make(archive_source(filled.folder))
    assert backup is not None
    filled.close()
    refused = []

    def look(_done: int, _total: int, _what: str) -> None:
        for work in (lambda: Archive.open(filled.folder), lambda: restore_archive(backup, filled.folder)):
            with pytest.raises(UserError, match="is being restored; try again when that has ended"):
                work()
            refused.append(1)

    restore_archive(backup, filled.folder, look)
    assert len(refused) >= 2
    with Archive.open(filled.folder) as archive:
        assert archive.stats()["cases"] == 4
    assert not list(filled.folder.parent.glob("*restoring*"))


def test_an_archive_that_was_opened_while_the_backup_was_copied_is_not_replaced(filled: Archive) -> None:
    backup = make(archive_source(filled.folder))
    assert backup is not None
    filled.close()
    with sqlite3.connect(filled.folder / "archive.db") as other:  # such as who looked just before

        def look(_done: int, _total: int, _what: str) -> None:
            other.execute("PRAGMA journal_mode = WAL")
            other.execute("SELECT count(*) FROM cases").fetchone()

        with pytest.raises(UserError, match="Another program has the archive"):
            restore_archive(backup, filled.folder, look)
    other.close()
    assert [path.name for path in filled.folder.parent.iterdir() if "archive" in path.name] == ["archive"]


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
            assert archive.audit_problems() == []
        assert not [path for path in folder.parent.iterdir() if path.name.startswith("archive.rest")]
    assert set(seen) == {4, 5}
    assert len(seen) > 3
