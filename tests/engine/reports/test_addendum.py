"""A signed report takes addenda, never a change, and is archived again with them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from engine.archive import Archive
from engine.errors import UserError
from engine.reports.document import Document
from engine.reports.draft import Draft, Sentence
from engine.reports.outbox import archive_waiting
from engine.reports.stored_report import ReportFacts, Submission
from engine.reports.workspace import ADDENDUM_SIGNED, Workspace

OUT = Submission(ReportFacts("CR"))


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


def sign(workspace: Workspace, text: str = "Normal.") -> None:
    workspace.save_edit("1.2", text, "ada")
    workspace.sign("1.2", "ada", OUT)


def test_an_addendum_is_written_signed_and_final(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="sign the report first"):
        workspace.save_addendum("1.2", "Too early.")
    sign(workspace)
    assert workspace.save_addendum("1.2", "A nod").addendum == "A nod"
    assert workspace.save_addendum("1.2", "").addendum is None
    workspace.save_addendum("1.2", "A nodule.")
    stored = workspace.sign_addendum("1.2", "bob")
    assert (stored.text, stored.addendum) == ("Normal.", None)
    assert [(one.text, one.signed_by) for one in stored.addenda] == [("A nodule.", "bob")]
    assert stored.full_text == "Normal.\n\nAddendum: A nodule."
    with pytest.raises(UserError, match="no addendum to sign"):
        workspace.sign_addendum("1.2", "bob")
    workspace.save_addendum("1.2", "And another.")
    assert len(workspace.sign_addendum("1.2", "ada").addenda) == 2
    assert [row.state for row in workspace.history("1.2")] == ["edited", "signed", "addendum", "addendum"]


def test_two_windows_that_sign_one_addendum_at_the_same_moment_add_it_once(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "home") as one, Workspace.open(tmp_path / "home") as other:
        sign(one)
        one.save_addendum("1.2", "A nodule.")
        start = Barrier(2)

        def press(workspace: Workspace) -> str:
            start.wait(10)
            try:
                workspace.sign_addendum("1.2", "ada", OUT, text="A nodule.", seen=0)
            except UserError as told:
                return str(told)
            return ""

        with ThreadPoolExecutor(2) as windows:
            answers = list(windows.map(press, (one, other)))
        assert sorted(answers) == ["", ADDENDUM_SIGNED]
        stored = one.load("1.2")
        assert stored is not None
        assert [addendum.text for addendum in stored.addenda] == ["A nodule."]
        assert [row.state for row in one.history("1.2")] == ["edited", "signed", "addendum"]


def test_an_addendum_is_not_signed_beside_another_one_that_its_signer_has_not_seen(workspace: Workspace) -> None:
    sign(workspace)
    workspace.sign_addendum("1.2", "bob", text="A nodule.", seen=0)
    with pytest.raises(UserError, match="Another addendum was signed"):
        workspace.sign_addendum("1.2", "ada", text="No nodule.", seen=0)
    stored = workspace.sign_addendum("1.2", "ada", text="No nodule.", seen=1)
    assert [addendum.signed_by for addendum in stored.addenda] == ["bob", "ada"]
    assert len(workspace.sign_addendum("1.2", "ada", text="No nodule.", seen=2).addenda) == 3  # on purpose


def test_the_archive_gets_the_report_with_its_addendum(workspace: Workspace, archive: Archive, encoder) -> None:
    sign(workspace)
    case_id = archive_waiting(workspace, archive, encoder).archived[0].case_id
    workspace.save_addendum("1.2", "A nodule.")
    workspace.sign_addendum("1.2", "ada", OUT)
    assert workspace.waiting() == ("1.2",)
    assert archive_waiting(workspace, archive, encoder).archived[0].case_id == case_id
    report = archive.case(case_id).report
    assert report is not None
    assert report.text == "Normal.\n\nAddendum: A nodule."
    assert workspace.waiting() == ()


def test_an_addendum_that_is_signed_while_its_report_is_archived_is_archived_next(workspace: Workspace) -> None:
    sign(workspace)
    workspace.save_addendum("1.2", "A nodule.")
    workspace.sign_addendum("1.2", "ada", OUT)
    workspace.mark_archived("1.2", "archive", 1)  # the worker had read the report before
    assert workspace.waiting() == ("1.2",)
    workspace.mark_archived("1.2", "archive", 1, addenda=1)
    assert workspace.waiting() == ()


def test_a_report_of_mostly_machine_wording_is_archived_as_such(
    workspace: Workspace, archive: Archive, encoder
) -> None:
    draft = Draft((Sentence("There is a large effusion.", None, source=7),), "x", study_uid="1.2")
    workspace.save("1.2", Document("Own.").proposing(draft, "1.2").accepting([0]))
    workspace.sign("1.2", "ada", OUT)
    case_id = archive_waiting(workspace, archive, encoder).archived[0].case_id
    report = archive.case(case_id).report
    assert report is not None
    assert report.machine_share == pytest.approx(5 / 6)
    assert report.mostly_machine
