"""A kill while an archive is encrypted or decrypted leaves the old archive or the new one, whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process that kills itself is forked")
def test_at_no_step_can_a_kill_leave_anything_but_the_old_archive_or_the_new_one(folder: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.engine.store.encryption.killing", str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    lines = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    found = [json.loads(line) for line in lines.splitlines()]
    for one in found:
        assert (one["cases"], one["paths"], one["vectors"], one["problems"]) == (12, 12, 24, []), one
        assert one["words"] == (0 if one["encrypted"] else 2), one
        assert not (one["encrypted"] and one["left"]), one
    for action in ("encrypt", "decrypt"):
        kills = [one["encrypted"] for one in found if one["action"] == action and not one.get("again")]
        assert len(kills) > 20
        assert kills == sorted(kills, reverse=action == "decrypt")  # once it is the new one it stays that
        assert {True, False} == set(kills)
        again = {one["encrypted"] for one in found if one["action"] == action and one.get("again")}
        assert again == {action == "encrypt"}
