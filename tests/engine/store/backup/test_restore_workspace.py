"""Reports, marks, settings and templates are restored together, and nothing that was written is lost."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.reports.workspace import Workspace
from engine.store.backup import restore_workspace as restore_workspace_module
from engine.store.backup.making import make
from engine.store.backup.restore import find
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import workspace_source
from tests.engine.store.backup.kills import NEEDS_FORK, kills


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


def test_a_restored_workspace_says_so_in_its_audit(private_home: Path) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
        backup = make(workspace_source())
        assert backup is not None
        restore_workspace(backup)
        assert [row["state"] for row in workspace.audit()] == ["edited", "restored"]
        assert [row.state for row in workspace.history("1.2.3")] == ["edited"]
        assert workspace.audit_problems() == []


def test_what_is_written_while_what_was_there_is_set_aside_is_set_aside_too(
    private_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
        backup = make(workspace_source())
        assert backup is not None
        written = []

        def write_at_the_last_moment(ready: Path, path: Path, let_go: Callable[[], None], *rest: Any) -> None:
            def let_go_and_write() -> None:
                let_go()
                if not written:
                    written.append(workspace.sign("1.2.3", "Ada Byron"))

            copy_content(ready, path, let_go_and_write, *rest)

        copy_content = restore_workspace_module._copy_content
        monkeypatch.setattr(restore_workspace_module, "_copy_content", write_at_the_last_moment)
        aside = restore_workspace(backup)
        report = workspace.load("1.2.3")
    assert report is not None
    assert report.state == "edited"
    assert aside is not None
    assert written
    assert [path.name for path in private_home.glob("before-restore*")] == [aside.name]
    with Workspace.open(aside) as old:
        report = old.load("1.2.3")
    assert report is not None
    assert report.state == "signed"


def test_a_backup_of_an_earlier_version_with_other_pages_is_restored_on_a_new_account(
    private_home: Path, tmp_path: Path
) -> None:
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "No effusion.")
    db = sqlite3.connect(private_home / "workspace.db", isolation_level=None)
    for pragma in ("journal_mode = DELETE", "page_size = 4096"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("VACUUM")
    db.close()
    backup = make(workspace_source())
    assert backup is not None
    Workspace.open(tmp_path / "new account").close()
    assert restore_workspace(backup, tmp_path / "new account") is not None
    with Workspace.open(tmp_path / "new account") as workspace:
        assert workspace.load("1.2.3") is not None
        assert workspace.audit_problems() == []


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


@NEEDS_FORK
def test_a_kill_in_the_middle_of_a_restore_leaves_the_old_reports_with_the_old_settings_or_the_new_ones(
    private_home: Path,
) -> None:
    settings = private_home / "settings.json"
    settings.write_text("before")
    with Workspace.open() as workspace:
        workspace.save_edit("1.2.3", "before")
    backup = make(workspace_source())
    assert backup is not None
    seen = set()

    def write_later() -> None:
        with Workspace.open() as workspace:
            workspace.save_edit("1.2.3", "later")
        settings.write_text("later")

    write_later()
    for _ in kills(private_home, str(backup.path)):
        with Workspace.open() as workspace:
            report = workspace.load("1.2.3")
            assert report is not None
            assert report.text == settings.read_text()
            assert workspace.audit_problems() == []
            assert not [*private_home.glob("restored*"), *private_home.glob("before-restore.new")]
        for aside in private_home.glob("before-restore-*"):
            with Workspace.open(aside) as workspace:
                kept = workspace.load("1.2.3")
                assert kept is not None  # whole or absent
                assert kept.text == (aside / "settings.json").read_text()
        seen.add(report.text)
        if report.text == "before":
            write_later()
    assert seen == {"before", "later"}
