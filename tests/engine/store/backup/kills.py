"""Kills a backup or a restore at each of its touches of the disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.paths import ROOT

KILLED = """
import os, sys
from pathlib import Path
from engine.store.backup.making import make
from engine.store.backup.restore import find, restore_archive
from engine.store.backup.restore_workspace import restore_workspace
from engine.store.backup.source import archive_source

archive, backup = Path(sys.argv[1]), sys.argv[2]

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.mkdir", "shutil.rmtree"):
        left -= 1
        if left < 0:
            os._exit(9)

for line in sys.stdin:
    left = int(line)
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        found = find(Path(backup)) if backup else None
        if found and found.kind == "workspace":
            restore_workspace(found, archive)
        elif found:
            restore_archive(found, archive)
        else:
            make(archive_source(archive))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


NEEDS_FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def kills(archive: Path, backup: str) -> Iterator[int]:
    """Kill a process at its first touch of the disk, another one at its second, and so on, until one ends by itself."""
    command = [sys.executable, "-c", KILLED, str(archive), backup]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for step in count():
            process.stdin.write(f"{step}\n")
            process.stdin.flush()
            code = int(process.stdout.readline())
            if code == 0:
                return
            assert code == 9
            yield step
