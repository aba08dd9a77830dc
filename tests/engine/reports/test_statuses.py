"""The states of many reports, as a list of studies shows them."""

from pathlib import Path

from engine.reports.stored_report import Submission
from engine.reports.workspace import Workspace


def test_a_status_says_whether_a_report_is_open_signed_or_waits_for_an_archive(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        for study in ("edited", "emptied", "signed", "waiting", "archived"):
            workspace.save_edit(study, "Clear lungs.")
        workspace.save_edit("emptied", " ")
        workspace.sign("signed", "Ada")
        for study in ("waiting", "archived"):
            workspace.sign(study, "Ada", Submission())
        workspace.mark_archived("archived", "cases", 1)
        found = workspace.statuses(["edited", "emptied", "signed", "waiting", "archived", "unknown"])
        stored = {study: one.status for study in found if (one := workspace.load(study))}
    assert found == {
        "edited": "edited",
        "emptied": "",
        "signed": "signed",
        "waiting": "waiting",
        "archived": "signed",
    }
    assert stored == found
