"""Key images and measurements stored in the workspace."""

from pathlib import Path

import pytest

from engine.errors import UserError
from engine.reports.workspace import Workspace


def test_marks_are_stored_by_study_and_kind(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        workspace.save_marks("1.2", "key images", [["1.2.3", 0]])
        workspace.save_marks("1.2", "measurements", [{"kind": "length", "points": [[1.5, 2.5], [3.0, 4.0]]}])
        workspace.save_marks("1.2", "key images", [["1.2.3", 4], ["1.2.9", 0]])
    with Workspace.open(tmp_path) as workspace:
        assert workspace.load_marks("1.2", "key images") == [["1.2.3", 4], ["1.2.9", 0]]
        assert workspace.load_marks("1.2", "measurements")[0]["points"] == [[1.5, 2.5], [3.0, 4.0]]
        assert workspace.load_marks("9.9", "key images") == []


def test_marks_of_a_study_without_a_uid_are_refused(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace, pytest.raises(UserError, match="Study Instance UID"):
        workspace.save_marks("", "key images", [])
