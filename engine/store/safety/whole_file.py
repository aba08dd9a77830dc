"""Writes files in one step: after a kill or a power cut a file has its old content or its new one. Knows no content.

A rename alone is not enough: a file system may keep the new name before the bytes, and leave an empty file. So the
bytes are flushed before the rename, and the folder, which holds the name, after it.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

SUFFIX = ".new"
LEFT = 3600.0
"""Seconds after which an unfinished file is taken for what a killed process left, and removed by the next write."""


def write_whole(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file, or replace it, in one step, readable by its owner only.

    Raises:
        OSError: it cannot be written; the old content, if any, is still there.
    """
    _remove_left(path)
    descriptor, name = tempfile.mkstemp(SUFFIX, f"{path.name}.", path.parent)  # created with mode 0600
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Bring a file or the names in a folder to the disk, where the system can do that (not for folders on Windows)."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # a network share without it; what was written is written as well as it can be
        return
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """Bring a folder with all its files to the disk, before it is renamed."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def is_left(path: Path, name: str) -> bool:
    """Whether this is an unfinished file of `write_whole(... / name)`."""
    return path.name.startswith(f"{name}.") and path.name.endswith(SUFFIX)


def _remove_left(path: Path) -> None:
    try:
        for other in path.parent.iterdir():
            if is_left(other, path.name) and time.time() - other.stat().st_mtime > LEFT:
                other.unlink(missing_ok=True)
    except OSError:  # the write itself says what is wrong with the folder
        return
