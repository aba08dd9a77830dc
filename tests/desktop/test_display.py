"""Without a display, Kindred says so in one sentence instead of aborting."""

import os
import subprocess
import sys

import pytest

from desktop.display import NO_DISPLAY, why_no_window
from tests.paths import ROOT

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, "-m", "desktop"]
    return subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


@linux
def test_without_a_display_the_app_ends_with_one_sentence() -> None:
    ended = start()
    assert ended.returncode == 2
    assert ended.stderr == f"{NO_DISPLAY}\n"


@linux
def test_a_display_that_nobody_serves_is_named() -> None:
    ended = start(DISPLAY=":987")
    assert ended.returncode == 2
    assert ended.stderr.startswith("The display :987 cannot be reached;")
    assert ended.stderr.count("\n") == 1


@linux
def test_a_missing_library_of_the_window_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("desktop.display.ctypes.CDLL", missing)
    reason = why_no_window({"DISPLAY": ":0"})
    assert "libxcb-cursor.so.0" in reason


def test_a_platform_that_the_caller_names_is_trusted() -> None:
    assert why_no_window({"QT_QPA_PLATFORM": "offscreen"}) == ""
    assert sys.platform != "linux" or why_no_window({"WAYLAND_DISPLAY": "wayland-0"}) == ""
