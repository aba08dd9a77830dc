"""`kindred encrypt`, `decrypt` and `passphrase`: what they ask, say and refuse."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from engine.archive import Archive
from engine.cli import main
from engine.reports.workspace import Workspace
from engine.store.backup.making import make
from engine.store.backup.source import archive_source, workspace_source
from engine.store.encryption import key_file, unlocked
from engine.store.encryption.unlocked import VARIABLE, is_encrypted

pytestmark = pytest.mark.folder

FIRST, SECOND = "correct horse battery", "another horse entirely"


@pytest.fixture(autouse=True)
def quick_and_locked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stretching takes a millisecond here, and no test has the keys of another one."""
    monkeypatch.setattr(key_file, "COST", 1 << 10)
    unlocked._keys.clear()
    yield
    unlocked._keys.clear()
    unlocked._ask.clear()


@pytest.fixture
def folder(archive: Archive, make_case: Any, encoder: Any) -> Path:
    """A closed archive with one report."""
    archive.add_case(make_case("1", "Fracture of the distal femur."), encoder.id)
    archive.close()
    return archive.folder


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody types at the prompts, in order."""
    answers: list[str] = []

    def prompt(text: str, **options: Any) -> str:
        assert options["hide_input"]
        return answers.pop(0)

    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    return answers


def run(*arguments: object) -> int:
    """One command in a process that has unlocked nothing yet."""
    unlocked._keys.clear()
    return main.main([*map(str, arguments)])


def test_who_encrypts_is_told_that_a_lost_passphrase_loses_the_data(
    folder: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed.append(FIRST)
    assert run("encrypt", folder) == 0
    out, err = capsys.readouterr()
    for said in (out, err):
        assert "whoever loses it loses the data and the backups" in said
    assert is_encrypted(folder / "archive.db")


def test_the_passphrase_is_asked_until_it_is_right(
    folder: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += [FIRST, SECOND, "", "wrong again", FIRST]
    assert run("encrypt", folder) == 0
    capsys.readouterr()
    assert run("search", "--archive", folder, "--text", "femur", "--mode", "lexical") == 0
    out, err = capsys.readouterr()
    assert "Fracture of the distal femur." in out
    assert err.count("This is not the passphrase of") == 3
    assert typed == []


def test_where_nobody_can_type_it_one_sentence_says_what_to_do(
    folder: Path, typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed.append(FIRST)
    run("encrypt", folder)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    capsys.readouterr()
    for command in (["search", "--archive", folder, "--text", "x", "--mode", "lexical"], ["decrypt", folder]):
        assert run(*command) == 2
        assert "is encrypted; type its passphrase, or name a file with it in" in capsys.readouterr().err
    assert run("encrypt", folder) == 2
    assert "is encrypted already" in capsys.readouterr().err
    assert run("encrypt", "--workspace") == 2
    assert "Type the new passphrase in a terminal" in capsys.readouterr().err


def test_a_server_gives_it_in_a_file_and_changes_it_from_another(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "first").write_text(f"{FIRST}\n")
    (tmp_path / "second").write_text(f"{SECOND}\n")
    make(archive_source(folder), tmp_path / "elsewhere")
    plain = make(archive_source(folder))
    assert plain is not None
    monkeypatch.setenv(VARIABLE, str(tmp_path / "first"))
    assert run("encrypt", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(folder), "plain_copies": [str(plain.path)]}
    assert run("passphrase", folder, "--new-passphrase-file", tmp_path / "second") == 0
    assert run("backup", "--archive", folder) == 2
    assert "does not hold the passphrase" in capsys.readouterr().err
    monkeypatch.setenv(VARIABLE, str(tmp_path / "second"))
    assert run("backup", "--archive", folder) == 0
    assert run("doctor", "--archive", folder) == 0
    assert "is encrypted" in capsys.readouterr().out
    assert run("decrypt", folder) == 0
    monkeypatch.delenv(VARIABLE)
    assert run("search", "--archive", folder, "--text", "femur", "--mode", "lexical") == 0


def test_the_reports_of_the_account_are_encrypted_backed_up_and_restored(
    private_home: Path, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "Zwiebelschale of the spleen.")
    plain = make(workspace_source())
    assert plain is not None
    typed += [FIRST, FIRST, FIRST]
    assert run("encrypt", "--workspace") == 0
    assert str(plain.path) in capsys.readouterr().out
    found = [path for path in private_home.iterdir() if path.is_file() and b"Zwiebel" in path.read_bytes()]
    assert found == []
    assert run("backup") == 0
    encrypted = max(plain.path.parent.iterdir())
    assert run("restore", encrypted) == 0
    with Workspace.open() as workspace:
        report = workspace.load("1.2.3")
        assert report is not None
        assert report.text == "Zwiebelschale of the spleen."
    typed.append(FIRST)
    assert run("decrypt", "--workspace") == 0
    assert b"Zwiebel" in (private_home / "workspace.db").read_bytes()


@pytest.mark.parametrize("arguments", [[], ["ARCHIVE", "--workspace"]])
@pytest.mark.parametrize("command", ["encrypt", "decrypt", "passphrase"])
def test_it_has_to_be_said_of_what(command: str, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, *arguments) == 2
    assert "Name the folder of an archive, or --workspace" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["encrypt", "decrypt", "passphrase"])
def test_a_folder_that_is_no_archive_is_refused(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, tmp_path) == 2
    assert "is not a Kindred archive" in capsys.readouterr().err
