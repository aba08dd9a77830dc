"""Reports are bound to their study, and every change is audited."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.reports.document import Document
from engine.reports.draft import Draft, Sentence
from engine.reports.workspace import DATABASE, Workspace
from engine.resources import user_folder


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "home") as opened:
        yield opened


def made_for(study: str | None) -> Draft:
    return Draft(
        (Sentence("No effusion.", 0.9), Sentence("Heart normal.", 0.8)), "captioner of bundle x", study_uid=study
    )


def test_a_report_goes_from_drafted_over_edited_to_signed(workspace: Workspace) -> None:
    assert workspace.load("1.2") is None
    assert workspace.save_draft("1.2", made_for("1.2"), "ada").state == "drafted"
    with pytest.raises(UserError, match="2 proposals not decided yet"):
        workspace.sign("1.2", "ada")
    assert workspace.save_edit("1.2", "Own words.", "ada").state == "drafted"
    document = workspace.load("1.2").document.dismissing((0, 1)).edited("No effusion at all.")  # type: ignore[union-attr]
    assert workspace.save("1.2", document, "ada").state == "edited"
    signed = workspace.sign("1.2", "ada")
    assert (signed.state, signed.text, signed.signed_by) == ("signed", "No effusion at all.", "ada")
    assert signed.model == "captioner of bundle x"
    assert [(row.state, row.text, row.who) for row in workspace.history("1.2")] == [
        ("drafted", "", "ada"),
        ("drafted", "Own words.", "ada"),
        ("edited", "No effusion at all.", "ada"),
        ("signed", "No effusion at all.", "ada"),
    ]


def test_a_signed_report_is_final(workspace: Workspace) -> None:
    workspace.save_edit("1.2", "Normal.")
    workspace.sign("1.2")
    for change in (
        lambda: workspace.save_edit("1.2", "Not normal."),
        lambda: workspace.save("1.2", Document("Not normal."), typing=True),
        lambda: workspace.save_draft("1.2", made_for("1.2")),
        lambda: workspace.sign("1.2"),
    ):
        with pytest.raises(UserError, match="signed and cannot be changed"):
            change()
    assert len(workspace.history("1.2")) == 2


@pytest.mark.parametrize("study", ["9.9", None])
def test_a_draft_is_refused_for_another_study(workspace: Workspace, study: str | None) -> None:
    with pytest.raises(UserError, match="another study"):
        workspace.save_draft("1.2", made_for(study))
    assert workspace.load("1.2") is None
    assert workspace.history("1.2") == ()


def test_saving_the_same_text_again_changes_nothing(workspace: Workspace) -> None:
    workspace.save_draft("1.2", made_for("1.2"))
    workspace.save_edit("1.2", "Clear.")
    assert workspace.save_edit("1.2", "Clear.").state == "drafted"
    assert len(workspace.history("1.2")) == 2


def test_what_is_saved_while_typing_is_stored_and_audited_once_it_is_saved(workspace: Workspace) -> None:
    for text in ("C", "Clear", "Clear."):
        workspace.save("1.2", Document(text), "ada", typing=True)
    assert workspace.load("1.2").text == "Clear."  # type: ignore[union-attr]
    assert workspace.history("1.2") == ()
    workspace.save("1.2", Document("Clear."), "ada")
    workspace.save("1.2", Document("Clear."), "ada")
    assert [row.text for row in workspace.history("1.2")] == ["Clear."]


def test_what_was_read_is_signed_whatever_another_window_stored(workspace: Workspace) -> None:
    read = workspace.save_edit("1.2", "What Ada reads.").document
    workspace.save_edit("1.2", "Typed in the other window.")
    assert workspace.sign("1.2", "ada", document=read).text == "What Ada reads."


def test_an_empty_report_cannot_be_signed(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="no report to sign"):
        workspace.sign("1.2")


def test_reports_survive_a_restart_and_are_private_to_their_owner(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "home") as first:
        first.save_edit("1.2", "Normal.")
    with Workspace.open(tmp_path / "home") as second:
        stored = second.load("1.2")
        assert stored is not None
        assert stored.text == "Normal."
    assert stat.S_IMODE((tmp_path / "home" / DATABASE).stat().st_mode) == 0o600


def test_the_folder_follows_kindred_home(private_home: Path) -> None:
    assert user_folder() == private_home
    with Workspace.open() as opened:
        assert opened.folder == private_home


def test_reports_of_a_newer_version_are_not_opened(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as opened, opened._database.write() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('kindred-workspace', 'new', 'x')"
        )
    with pytest.raises(UserError, match="newer version"):
        Workspace.open(tmp_path)


def test_a_read_only_folder_of_reports_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Workspace.open(tmp_path).close()
    monkeypatch.setattr("engine.store.folder.local_database.is_read_only", lambda path: True)
    with pytest.raises(UserError, match=r"^Reports cannot be saved in .*: it is read-only\. Allow writing to it\.$"):
        Workspace.open(tmp_path)
