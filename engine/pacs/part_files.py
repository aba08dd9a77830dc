"""Writes files that get their names once several are on the disk, as `write_whole` does for one. Knows no content.

To flush one file takes as long as to flush the few that were written just before.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.store.safety.whole_file import SUFFIX


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file that is written, and neither flushed nor closed."""

    path: Path
    """The name that it will have."""
    unnamed: Path
    """Where it is."""
    descriptor: int


def begin(path: Path, content: bytes) -> PartFile:
    """Write a file, readable by its owner only, which does not have its name yet.

    Raises:
        OSError: it cannot be written; nothing of it is left.
    """
    unnamed = path.with_name(f"{path.name}{SUFFIX}")
    file = PartFile(path, unnamed, _opened(unnamed))
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(file.descriptor, view) :]
    except BaseException:
        discard([file])
        raise
    return file


def finish(files: Sequence[PartFile]) -> None:
    """Flush files and give them their names, over what had these names before. The folder is to be flushed after it.

    Raises:
        OSError: one of them cannot be flushed; none of them is there then, and old ones still are.
    """
    try:
        for file in files:
            os.fsync(file.descriptor)
    except BaseException:
        discard(files)
        raise
    for file in files:
        os.close(file.descriptor)
        file.unnamed.replace(file.path)


def discard(files: Sequence[PartFile]) -> None:
    """Delete files that have no names yet."""
    for file in files:
        os.close(file.descriptor)
        file.unnamed.unlink(missing_ok=True)


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, 0o600)
    except FileExistsError:  # of a killed process
        path.unlink()
        return os.open(path, flags, 0o600)
