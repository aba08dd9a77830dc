"""`kindred backup` and `kindred restore`, and what `kindred doctor` says of backups."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.archive import Archive
from engine.cli import main
from engine.cli.doctor import Check, examine
from engine.reports.workspace import Workspace
from engine.store.backup.making import Making, make
from engine.store.backup.source import archive_source
from engine.store.case import NewCase

pytestmark = pytest.mark.folder

Make = Callable[..., NewCase]


@pytest.fixture
def folder(archive: Archive, make_case: Make) -> Path:
    """A closed archive of one case."""
    archive.add_case(make_case("1", "No effusion.", seeds=[1]))
    archive.close()
    return archive.folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert main.main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main.main([*map(str, arguments)]) == 0
    return capsys.readouterr().out


def backup_check(folder: Path) -> Check:
    return next(one for one in examine(Path("/nowhere"), folder) if one.name == "backup")


def test_an_archive_and_the_workspace_are_backed_up_listed_and_restored(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
    to = tmp_path / "disk"
    made = answer(capsys, "backup", "--archive", folder, "--to", to)["made"]
    assert [(one["kind"], one["rows"]) for one in made] == [("workspace", 1), ("archive", 1)]
    assert answer(capsys, "backup", "--archive", folder, "--to", to)["made"] == []
    assert "Nothing changed in" in said(capsys, "backup", "--archive", folder, "--to", to)
    listed = said(capsys, "backup", "--archive", folder, "--to", to, "--list")
    assert all(one["path"] in listed for one in made)
    assert main.main(["restore", str(to), "--archive", str(folder)]) == 2
    named = ", ".join(sorted(str(Path(one["path"]).parent) for one in made))
    assert capsys.readouterr().err == f"{to} has backups of several sources; choose one of: {named}.\n"
    restored = said(capsys, "restore", made[1]["path"], "--archive", folder)
    assert "What was there is in" in restored
    assert "Cases that were deleted since then are back; delete them again." in restored
    assert "What was there is in" in said(capsys, "restore", Path(made[0]["path"]).parent)
    with Archive.open(folder) as archive:
        assert archive.stats()["cases"] == 1


def test_a_backup_of_one_kind_is_not_restored_as_the_other(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = answer(capsys, "backup", "--archive", folder)["made"][0]["path"]
    assert main.main(["restore", path]) == 2
    assert "name its folder with --archive" in capsys.readouterr().err
    assert main.main(["restore", str(tmp_path), "--archive", str(folder)]) == 2
    assert "is not a backup of Kindred" in capsys.readouterr().err


def test_what_was_deleted_leaves_the_backups_too_when_they_are_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "backup", "--archive", folder)
    text = said(capsys, "delete", "--archive", folder, "--case", 1, "--yes")
    assert f"1 backup may hold them; to drop: kindred backup --archive {folder} --replace" in text
    assert "Backups made with --to and folders that a restore set aside are not changed" in text
    said(capsys, "backup", "--archive", folder, "--replace")
    (only,) = answer(capsys, "backup", "--archive", folder, "--list")["backups"]
    assert only["rows"] == 0


def test_the_doctor_says_how_old_the_newest_backup_is(folder: Path) -> None:
    assert backup_check(folder).note
    assert "There is no backup" in backup_check(folder).text
    old = datetime.now(UTC) - timedelta(days=30, minutes=5)
    make(archive_source(folder), making=Making(always=True, now=lambda: old))
    assert backup_check(folder).note
    assert "30 days old (1 case)" in backup_check(folder).text
    make(archive_source(folder), making=Making(always=True))
    assert not backup_check(folder).note
    assert "0 minutes old" in backup_check(folder).text


def test_the_doctor_names_the_backup_of_a_damaged_archive(folder: Path) -> None:
    backup = make(archive_source(folder))
    assert backup is not None
    (folder / "archive.db").write_bytes(b"SQLite format 3\0" + bytes(9000))
    checks = {one.name: one for one in examine(Path("/nowhere"), folder)}
    assert not checks["archive"].ok
    assert checks["backup"].text.endswith(f"run: kindred restore {backup.path} --archive {folder}")


def test_what_can_be_read_of_a_damaged_archive_is_written_into_a_new_folder(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "salvage", "--archive", folder, "--to", tmp_path / "new")
    assert (found["cases"], found["lost"]) == (1, 0)
    assert main.main(["salvage", "--archive", str(folder), "--to", str(tmp_path / "new")]) == 2
    assert "exists already" in capsys.readouterr().err
    with Archive.open(tmp_path / "new") as archive:
        assert archive.read_only
    (tmp_path / "new" / "salvaged.json").unlink()
    with Archive.open(tmp_path / "new") as archive:
        archive.delete([1])


@pytest.mark.parametrize(
    "command",
    [
        ("backup", "--archive", "ADDRESS"),
        ("restore", ".", "--archive", "ADDRESS"),
        ("salvage", "--archive", "ADDRESS", "--to", "new"),
        ("encrypt", "ADDRESS"),
    ],
)
def test_what_works_on_folders_does_not_take_the_address_of_a_server_for_the_name_of_a_folder(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [one.replace("ADDRESS", "postgresql://anna@archive.example.org/kindred") for one in command]
    assert main.main(given) == 2
    assert "not the address of a server, which its administrator backs up" in capsys.readouterr().err
