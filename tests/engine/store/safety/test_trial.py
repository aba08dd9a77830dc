"""Work that is tried out in a process of its own: each way in which it can end, and what the user is told."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import UserError
from engine.store.safety import trial
from engine.store.safety.trial import CRASHED, TOO_LARGE, TOO_LONG, try_out


@pytest.fixture(autouse=True)
def none_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_outcomes", type(trial._outcomes)())


def leave_a_mark(data: bytes, path: str) -> None:
    os.write(1, b"libraries print what they like")
    with Path(path).open("ab") as file:
        file.write(data)


def refuse(data: bytes) -> None:
    raise UserError("Refused by its reader.", "/some/file")


def fail(data: bytes) -> None:
    raise ZeroDivisionError


def loop(data: bytes) -> None:
    while True:
        pass


def swell(data: bytes) -> None:
    try:
        bytes(3 << 30)
    except MemoryError as error:  # as pydicom does
        raise OSError from error


def abort(data: bytes) -> None:
    os.abort()


def test_work_is_done_elsewhere_and_once(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for _ in range(3):
        try_out(leave_a_mark, b"a", str(mark))
    assert mark.read_bytes() == b"a"


def test_a_bug_is_left_to_the_caller() -> None:
    try_out(fail, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="Memory and processor time are limited on Linux.")
@pytest.mark.parametrize(
    ("work", "reason"), [(refuse, "Refused by its reader."), (loop, TOO_LONG), (swell, TOO_LARGE), (abort, CRASHED)]
)
def test_work_is_refused_with_its_reason(
    work: Callable[[bytes], None], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0)
    for _ in range(2):  # the second time from memory
        with pytest.raises(UserError) as told:
            try_out(work, b"")
        assert str(told.value) == reason
    assert told.value.other == ("/some/file" if work is refuse else "")


def test_a_process_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "WALL_SECONDS", 0.01)
    with pytest.raises(UserError, match="more than 10 seconds"):
        try_out(loop, b"")


def test_the_frozen_app_is_its_own_helper(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/kindred/kindred")
    asked: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, b'["done", "", ""]')

    monkeypatch.setattr(subprocess, "run", run)
    try_out(fail, b"")
    assert asked == [["/opt/kindred/kindred", "--trial"]]
