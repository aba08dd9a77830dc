"""A short run of `./do bench hostile`: a few damaged files of each kind end as read or told; a bug would be counted."""

from pathlib import Path

import pytest

from benchmarks import hostile
from benchmarks._fuzz_targets import TARGETS, Target
from benchmarks.hostile import fuzzed


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_read_or_told(name: str, tmp_path: Path) -> None:
    kind = fuzzed(name, 15, tmp_path / "files", seed=1)
    assert kind.findings == []
    assert kind.ends.total() == 15
    assert set(kind.ends) <= {"read", "told"}
    assert kind.lines


def broken(path: Path) -> None:
    raise ZeroDivisionError


def test_a_bug_is_counted_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(TARGETS, "broken", Target(lambda folder: [b"seed"], broken))
    monkeypatch.setattr(hostile, "BATCH", 2)
    kind = fuzzed("broken", 3, tmp_path / "files", seed=1)
    assert kind.ends == {"bug": 3}
    assert kind.failures == 3
    assert "ZeroDivisionError" in kind.findings[0]
