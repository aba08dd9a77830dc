"""A workspace of an older version keeps every text, and knows which of it was drafted."""

import sqlite3
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.reports.workspace import DATABASE, Workspace
from engine.store.backup.backup import backups_of
from engine.store.backup.source import workspace_source

ROWS = {
    "1.1": ("edited", "Typed. No effusion. More.", "bundle x", [("drafted", "No effusion. Clear."), ("edited", "...")]),
    "1.2": ("edited", "Typed by hand.", "", [("edited", "Typed by hand.")]),
    "1.3": ("signed", "No effusion.", "bundle x", [("drafted", "No effusion."), ("signed", "No effusion.")]),
}

UNREAD = ("drafted", "No effusion. Clear lungs.", "bundle x", [("drafted", "No effusion. Clear lungs.")])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A workspace as the version before documents left it."""
    Workspace.open(tmp_path).close()
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.executescript(
            """ALTER TABLE reports DROP COLUMN document; ALTER TABLE audit DROP COLUMN document; DROP TABLE addenda;
            DELETE FROM _sqlite_migrations WHERE name = 'add_documents_and_addenda'"""
        )
        for study, (state, text, model, audit) in {**ROWS, "1.4": UNREAD}.items():
            db.execute("INSERT INTO reports VALUES (?, ?, ?, ?, 'then', 'then', '')", [study, text, model, state])
            for row in audit:
                db.execute(
                    "INSERT INTO audit (at, study_uid, state, who, text) VALUES ('', ?, ?, '', ?)", [study, *row]
                )
    db.close()
    return tmp_path


def test_an_older_workspace_keeps_its_texts_and_marks_what_was_drafted(old: Path) -> None:
    with Workspace.open(old) as workspace:
        found = {study: workspace.load(study) for study in ROWS}
        assert len(workspace.history("1.1")) == 2
        assert workspace.save_edit("1.2", "Typed by hand. On.").text == "Typed by hand. On."
    for study, (state, text, model, _) in ROWS.items():
        report = found[study]
        assert report is not None
        assert (report.text, report.state, report.model, report.document.open) == (text, state, model, ())
    marked = {study: [one.text[mark.start : mark.end] for mark in one.document.marks] for study, one in found.items()}  # type: ignore[union-attr]
    assert marked == {"1.1": ["No effusion."], "1.2": [], "1.3": ["No effusion."]}


def test_a_workspace_is_backed_up_before_it_is_upgraded(old: Path) -> None:
    for _ in range(2):
        Workspace.open(old).close()
    (backup,) = backups_of(workspace_source(old))
    assert (backup.reason, backup.rows) == ("before-upgrade", 4)


def test_a_draft_that_nobody_touched_becomes_proposals_and_cannot_be_signed_unread(old: Path) -> None:
    with Workspace.open(old) as workspace:
        report = workspace.load("1.4")
        assert report is not None
        assert (report.text, [report.document.proposals[one].sentence.text for one in report.document.open]) == (
            "",
            ["No effusion.", "Clear lungs."],
        )
        with pytest.raises(UserError, match="2 proposals not decided"):
            workspace.sign("1.4", "ada")


def test_a_report_whose_marks_are_damaged_keeps_its_text(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        workspace.save_edit("1.2", "Text.")
        with workspace._database.write() as db:
            db.execute('UPDATE reports SET document = \'{"marks": [[1, 99, 0]], "open": [], "proposals": []}\'')
        assert workspace.load("1.2").text == "Text."  # type: ignore[union-attr]
