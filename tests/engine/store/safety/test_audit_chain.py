"""The audit finds every row that was changed, deleted, inserted or moved by hand, also with new plain hashes."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.archive import Archive
from engine.cli import main
from engine.reports.workspace import Workspace
from engine.store.address import Address
from engine.store.backup.making import make
from engine.store.backup.restore import restore_archive
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import archive_source, workspace_source
from engine.store.case import NewCase
from engine.store.safety.audit_chain import login
from tests.engine.stores import by_hand

Make = Callable[..., NewCase]


@pytest.fixture
def place(archive: Archive, make_case: Make) -> Path | Address:
    """Of a closed archive whose audit has five rows: deletions of cases 1 to 5."""
    for n in range(6):
        archive.add_case(make_case(str(n), f"Report {n}."))
    for n in range(1, 6):
        archive.delete([n])
    archive.close()
    return archive.place


@pytest.fixture
def folder(place: Path) -> Path:
    """The same, of tests that are about its files."""
    return place


@contextmanager
def workspace_by_hand(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "workspace.db")) as db:
        yield db
        db.commit()


def problems(place: Path | Address) -> list[str]:
    with Archive.open(place) as archive:
        return archive.audit_problems()


def test_an_audit_that_nobody_changed_has_no_problems(place: Path | Address) -> None:
    assert problems(place) == []
    with Archive.open(place) as archive:
        assert archive.audit()[0] == {
            **archive.audit()[0],
            "id": 1,
            "action": "case deleted",
            "case_id": 1,
            "login": place.user if isinstance(place, Address) else login(),
        }


@pytest.mark.parametrize(
    ("statements", "problem"),
    [
        (["UPDATE audit SET case_id = 9 WHERE id = 3"], "row 3 of the audit was changed"),
        (["UPDATE audit_chain SET login = 'someone' WHERE id = 3"], "row 3 of the audit was changed"),
        (["DELETE FROM audit WHERE id = 3"], "row 3 of the audit was deleted"),
        (
            ["DELETE FROM audit WHERE id = 3", "DELETE FROM audit_chain WHERE id = 3"],
            "row 3 of the audit was deleted",
        ),
        (
            [
                "DELETE FROM audit WHERE id = 3",
                "DELETE FROM audit_chain WHERE id = 3",
                "UPDATE audit SET id = id - 1 WHERE id > 3",
                "UPDATE audit_chain SET id = id - 1 WHERE id > 3",
            ],
            "row 3 of the audit was changed",
        ),
        (["DELETE FROM audit WHERE id = 1", "DELETE FROM audit_chain WHERE id = 1"], "row 1 of the audit was deleted"),
        (
            ["INSERT INTO audit (at, action, case_id, detail) VALUES ('2026', 'case deleted', 6, '')"],
            "row 6 of the audit was inserted",
        ),
        (
            [
                "INSERT INTO audit (at, action, case_id, detail) VALUES ('2026', 'case deleted', 6, '')",
                "INSERT INTO audit_chain SELECT 6, login, hash FROM audit_chain WHERE id = 5",
            ],
            "row 6 of the audit was changed, or does not follow",
        ),
        (
            [
                "UPDATE audit SET id = -1 WHERE id = 2",
                "UPDATE audit SET id = 2 WHERE id = 3",
                "UPDATE audit SET id = 3 WHERE id = -1",
            ],
            "row 2 of the audit was changed, or does not follow",
        ),
        (
            ["DELETE FROM audit WHERE id > 3", "DELETE FROM audit_chain WHERE id > 3"],
            "the audit had 5 rows, up to row 5, and does not have them any more",
        ),
        (
            [
                "DELETE FROM audit WHERE id > 3",
                "DELETE FROM audit_chain WHERE id > 3",
                "UPDATE audit_head SET rows = 3, last = 3, hash = (SELECT hash FROM audit_chain WHERE id = 3)",
            ],
            "the head of the audit was changed",
        ),
        (["DELETE FROM audit_head"], "the head of the audit is missing"),
        (
            ["DELETE FROM audit", "DELETE FROM audit_chain", "DELETE FROM audit_head"],
            "the audit is not that of",
        ),
    ],
)
def test_what_was_done_by_hand_is_found(place: Path | Address, statements: list[str], problem: str) -> None:
    assert problems(place) == []
    with by_hand(place) as db:
        for statement in statements:
            db.execute(statement)
    found = problems(place)
    assert any(one.startswith(problem) for one in found), found


def test_new_plain_hashes_do_not_hide_a_change(place: Path | Address) -> None:
    with by_hand(place) as db:
        db.execute("UPDATE audit SET case_id = 9 WHERE id = 3")
        previous = ""
        for row in db.execute("SELECT id, at, action, case_id, detail FROM audit ORDER BY id").fetchall():
            previous = hashlib.sha256(f"{row}{previous}".encode()).hexdigest()
            db.execute("UPDATE audit_chain SET hash = ? WHERE id = ?", [previous, row[0]])
    assert len(problems(place)) >= 5


def test_a_row_that_was_inserted_by_hand_is_not_adopted_by_the_next_one(place: Path | Address) -> None:
    with by_hand(place) as db:
        db.execute("INSERT INTO audit (at, action, case_id, detail) VALUES ('2026', 'case deleted', 7, '')")
    with Archive.open(place) as archive:
        archive.delete([6])
        assert "row 6 of the audit was inserted" in archive.audit_problems()


@pytest.mark.parametrize("head", ["", "DELETE FROM audit_head"])
def test_an_end_that_was_cut_off_is_not_covered_up_by_the_next_row(
    place: Path | Address, private_home: Path, head: str
) -> None:
    with by_hand(place) as db:
        for statement in filter(None, ("DELETE FROM audit WHERE id > 3", "DELETE FROM audit_chain WHERE id > 3", head)):
            db.execute(statement)
    with Archive.open(place) as archive:
        archive.delete([6])
    shutil.rmtree(private_home)  # as on another desk, which remembers nothing
    assert problems(place) != []


@pytest.mark.folder
def test_going_back_to_an_earlier_copy_of_the_database_is_found_but_a_restore_is_not_blamed(folder: Path) -> None:
    backup = make(archive_source(folder))
    assert backup is not None
    copy = folder.parent / "copy.db"
    shutil.copy(folder / "archive.db", copy)
    with Archive.open(folder) as archive:
        archive.delete([6])
    assert problems(folder) == []  # and what is there now is remembered
    shutil.copy(copy, folder / "archive.db")
    assert any(one.startswith("the audit is not that of") for one in problems(folder))
    restore_archive(backup, folder)
    assert problems(folder) == []


@pytest.mark.folder
def test_an_audit_of_before_the_chain_begins_it_with_the_upgrade(folder: Path) -> None:
    with by_hand(folder) as db:
        db.execute("DROP TABLE audit_chain")
        db.execute("DROP TABLE audit_head")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'create_audit_chain'")
    (folder.parent / "home").mkdir()
    assert problems(folder) == []
    with by_hand(folder) as db:
        db.execute("UPDATE audit SET case_id = 9 WHERE id = 2")
    assert problems(folder) == ["row 2 of the audit was changed, or does not follow the row before it"]


def test_signatures_and_exports_are_audited_with_the_name_that_was_typed_and_the_account() -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2", "No effusion.", "account")
        workspace.sign("1.2", "Ada Byron")
        workspace.record_export("1.2", "sr")
        assert [(row["state"], row["who"], row["login"]) for row in workspace.audit()] == [
            ("edited", "account", login()),
            ("signed", "Ada Byron", login()),
            ("exported", "", login()),
        ]
        assert "No effusion." not in str(workspace.audit())
        assert [row.state for row in workspace.history("1.2")] == ["edited", "signed"]
        assert workspace.audit_problems() == []


def test_a_signature_that_was_changed_by_hand_is_found(private_home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2", "No effusion.")
        workspace.sign("1.2", "Ada Byron")
        backup = make(workspace_source())
    assert backup is not None
    assert (private_home / "audit.key").stat().st_mode & 0o777 == 0o600
    with workspace_by_hand(private_home) as db:
        db.execute("UPDATE audit SET who = 'Grace Hopper' WHERE state = 'signed'")
    with Workspace.open() as workspace:
        assert workspace.audit_problems() == [
            "row 2 of the audit was changed, or does not follow the row before it",
            "the report of the study 1.2 is not as it was signed",
        ]
    restore_workspace(backup)
    with Workspace.open() as workspace:
        assert workspace.audit_problems() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reports SET text = 'Effusion.'",
        "UPDATE reports SET signed_by = 'Grace Hopper'",
        "UPDATE reports SET state = 'edited', text = 'Effusion.'",
        "DELETE FROM reports",
        "DELETE FROM audit WHERE state = 'signed'",
    ],
)
def test_a_signed_report_that_was_changed_beside_the_audit_is_found(private_home: Path, statement: str) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2", "No effusion.")
        workspace.sign("1.2", "Ada Byron")
        assert workspace.audit_problems() == []
    with workspace_by_hand(private_home) as db:
        db.execute(statement)
    with Workspace.open() as workspace:
        assert "the report of the study 1.2 is not as it was signed" in workspace.audit_problems()


@pytest.mark.parametrize("change", ["text = 'Effusion.'", "signed_by = 'Grace Hopper'", "signed = ''"])
def test_a_signed_addendum_that_was_changed_beside_the_audit_is_found(private_home: Path, change: str) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2", "No effusion.")
        workspace.sign("1.2", "Ada Byron")
        for _ in range(2):
            workspace.save_addendum("1.2", "Nor pneumothorax.")
            workspace.sign_addendum("1.2", "Ada Byron")
        assert workspace.audit_problems() == []
    with workspace_by_hand(private_home) as db:
        db.execute(f"UPDATE addenda SET {change} WHERE id = (SELECT max(id) FROM addenda)")
    with Workspace.open() as workspace:
        assert "the addenda of the study 1.2 are not as they were signed" in workspace.audit_problems()


def test_without_its_key_an_audit_is_not_trusted_and_reports_can_still_be_written(private_home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2", "No effusion.")
    (private_home / "audit.key").unlink()
    with Workspace.open() as workspace:
        assert workspace.save_edit("1.2", "Effusion.").text == "Effusion."
        assert workspace.audit_problems() != []


def test_the_command_says_what_it_found(place: Path | Address, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["audit", "verify", "--archive", str(place)]) == 0
    assert capsys.readouterr().out == "The audit is as it was written: 5 rows.\n"
    assert main.main(["audit", "list", "--archive", str(place)]) == 0
    assert "case deleted  case 1" in capsys.readouterr().out
    with by_hand(place) as db:
        db.execute("DELETE FROM audit WHERE id = 2")
    assert main.main(["audit", "verify", "--archive", str(place)]) == 2
    said = capsys.readouterr()
    assert "row 2 of the audit was deleted" in said.out
    assert "1 problem found in the audit" in said.err
