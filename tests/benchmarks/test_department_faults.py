"""Kills of an import, of desks and of the server lose nothing; 200 of them: benchmarks.department_faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.department_faults import VICTIMS
from tests.paths import ROOT


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="forks processes as Linux does")
def test_whatever_is_killed_all_that_was_acknowledged_is_there_once() -> None:
    command = [sys.executable, "-m", "benchmarks.department_faults", "--kills", "3", "--seed", "7"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    for victim in VICTIMS[:3]:
        assert f"| {victim.name} | 1 |" in done.stdout
