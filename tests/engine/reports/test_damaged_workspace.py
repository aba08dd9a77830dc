"""A damaged row of a workspace is told in one sentence, and a text outlives its marks."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.reports.nearest_report import near_reports
from engine.reports.outbox import archive_waiting
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import DATABASE, Workspace
from engine.retrieval.case_text import copied_text
from engine.store.case import UNKNOWN, NewCase

DEEP = "[" * 100_000


def changed(folder: Path, statement: str, value: object) -> Workspace:
    with sqlite3.connect(folder / DATABASE) as db:
        db.execute(statement, [value])
    db.close()
    return Workspace.open(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Workspace.open(tmp_path) as workspace:
        workspace.save_edit("1.2", "No effusion.", "ada")
        workspace.sign("1.2", "ada", Submission(ReportFacts("CR"), np.full((9, 9), 7, np.uint8)))
        workspace.save_marks("1.2", "measurements", [1])
    return tmp_path


@pytest.mark.parametrize(
    "facts", ["{}", "[]", "nul", DEEP, '{"window": 5, "identifiers": 1}', '{"unknown": 1}', "5", ""]
)
def test_damaged_facts_are_told(folder: Path, facts: str) -> None:
    with changed(folder, "UPDATE outbox SET facts = ?", facts) as workspace, pytest.raises(UserError, match="damaged"):
        workspace.submission("1.2")


@pytest.mark.parametrize("png", [b"", b"\x89PNG", "text", 5])
def test_a_damaged_picture_is_told(folder: Path, png: object) -> None:
    with changed(folder, "UPDATE outbox SET png = ?", png) as workspace, pytest.raises(UserError, match="damaged"):
        workspace.submission("1.2")


@pytest.mark.parametrize("marks", [DEEP, "5", "nul"])
def test_damaged_marks_are_set_aside(folder: Path, marks: str) -> None:
    with changed(folder, "UPDATE marks SET marks = ?", marks) as workspace:
        with pytest.raises(UserError, match="damaged and were set aside"):
            workspace.load_marks("1.2", "measurements")
        assert workspace.load_marks("1.2", "measurements") == []


@pytest.mark.parametrize("document", [DEEP, "[]", '{"proposals": [[]]}', '{"proposals": 5}', "nul"])
def test_a_text_outlives_its_damaged_marks(folder: Path, document: str) -> None:
    with changed(folder, "UPDATE reports SET document = ?", document) as workspace:
        report = workspace.load("1.2")
        assert report is not None
        assert report.text == "No effusion."
        assert report.document.lost
        assert report.machine_share == UNKNOWN


def test_a_report_whose_marks_were_damaged_is_no_evidence_and_says_so(
    tmp_path: Path, archive: Archive, encoder, make_case: Callable[..., NewCase]
) -> None:
    with Workspace.open(tmp_path) as workspace:
        workspace.save_edit("1.2", "There is a large left effusion.")
    with changed(tmp_path, "UPDATE reports SET document = ?", "nul") as workspace:
        workspace.save_edit("1.2", "There is a large left effusion. Own.")
    with Workspace.open(tmp_path) as workspace:
        workspace.sign("1.2", "ada", Submission(ReportFacts("CR"), np.full((9, 9), 7, np.uint8)))
        (sent,) = archive_waiting(workspace, archive, encoder).archived
    case = archive.case(sent.case_id)
    assert case.report is not None
    assert (case.report.machine_share, case.report.mostly_machine) == (UNKNOWN, True)
    assert "machine wording unknown" in copied_text(case)
    assert archive.all_images()[0].report is None
    assert not near_reports(archive, encoder, make_case("9", "x", seeds=(1,)).images[0].embedding).reports


def test_a_text_that_is_not_utf8_is_damage(folder: Path) -> None:
    statement = "UPDATE reports SET text = CAST(? AS TEXT)"
    with changed(folder, statement, b"\xff\xfe") as workspace, pytest.raises(UserError, match="is damaged; restore"):
        workspace.load("1.2")
