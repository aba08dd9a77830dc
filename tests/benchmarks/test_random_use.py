"""A short run of random commands, clicks and keys in a process of its own; more of it: benchmarks.random_use."""

import subprocess
import sys

from tests.paths import ROOT


def test_random_commands_clicks_and_keys_break_nothing() -> None:
    command = [sys.executable, "-m", "benchmarks.random_use", "--seed", "7", "--steps", "250"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.strip().endswith("0 unexpected errors.")
