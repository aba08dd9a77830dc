"""Freed memory is returned to the operating system."""

import sys
from pathlib import Path

import pytest

from desktop.memory import release_memory


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and malloc_trim")
def test_freed_blocks_below_one_in_use_are_returned_to_the_system() -> None:
    blocks = [bytearray(b"x" * 100_000) for _ in range(400)]
    kept = bytearray(b"x" * 100_000)
    del blocks
    before = resident()
    release_memory()
    assert before - resident() > 20_000_000
    assert kept[-1] == ord("x")
