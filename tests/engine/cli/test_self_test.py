"""`kindred doctor --self-test` does every step with real files, says which one fails, and leaves nothing."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.cli import self_test as module
from engine.cli.doctor import Check
from engine.cli.self_test import self_test
from engine.errors import UserError
from tests.paths import ROOT


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


def test_every_step_succeeds_and_nothing_is_left(temporary: Path, private_home: Path) -> None:
    checks = self_test([])
    assert [check.text for check in checks if not check.ok] == []
    names = ["open", "decode", "import", "search", "draft", "export", "window", "encrypt", "nothing left"]
    assert [check.name for check in checks] == names
    assert list(temporary.iterdir()) == list(private_home.iterdir()) == []
    assert os.environ["KINDRED_HOME"] == str(private_home)


def test_the_command_shows_a_window_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "desktop", "doctor", "--self-test", "--json"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    checks = {check["name"]: check for check in json.loads(ended.stdout)["checks"]}
    assert "pixels showed the study" in checks["window"]["text"]
    assert checks["nothing left"]["ok"]
    assert list(tmp_path.iterdir()) == []


def test_a_decoder_that_gives_other_pixels_is_found(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.SAME_PIXELS, "RLE", "CT_small.dcm")
    failed = self_test([])[-1]
    assert not failed.ok
    assert failed.text.startswith("The self-test stopped after 1 step: RLE was decoded to other pixels")
    assert list(temporary.iterdir()) == []


def test_a_missing_sample_is_named() -> None:
    with pytest.raises(UserError, match=r"the sample file no_such\.dcm is missing"):
        module.shipped_file("no_such.dcm")


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ([sys.executable, "-c", "import sys; sys.exit('no plugin')"], "the window was not shown (no plugin)"),
        ([sys.executable, "-c", "import os; os.abort()"], "the window was not shown (exit status -6)"),
        ([sys.executable, "-c", "print('no answer')"], "the window was not shown (no answer)"),
        (["/nowhere/kindred"], "the window was not shown ("),
    ],
)
def test_a_window_that_cannot_be_shown_ends_the_self_test(command: list[str], reason: str) -> None:
    with pytest.raises(UserError) as caught:
        module._shown(command)
    assert reason in str(caught.value)
