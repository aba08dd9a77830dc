"""The app and every command, without a network: nothing is looked up, connected to, or written elsewhere.

`./do bench offline` does it for longer. A library that reports on its users took 12 s to be seen here.
"""

import os
from pathlib import Path

import pytest

from benchmarks import offline
from benchmarks._namespace import why_not
from engine.cli.main import cli

SECONDS = "12"


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    reason = why_not()
    if reason and os.environ.get("CI"):
        pytest.fail(f"Nobody has checked whether something leaves this machine. {reason}")
    if reason:
        pytest.skip(reason)


def test_the_app_and_all_commands_reach_nothing_and_write_nothing_elsewhere(tmp_path: Path) -> None:
    found = offline.run([["app", SECONDS], ["commands", SECONDS]], tmp_path)
    assert found.problems == []


def test_a_process_that_asks_for_a_name_is_seen(tmp_path: Path) -> None:
    seen = offline.run([["asking"]], tmp_path).network
    assert set(seen.names) == {"kindred.example"}
    assert seen.connections == 1
    assert seen.packets


def test_no_command_is_left_out() -> None:
    assert set(offline.COMMANDS) == set(cli.commands)
