"""Finds the files to read: all below a folder, or those that a DICOMDIR lists. Does not open them."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.dicom.dicomdir import is_dicomdir, read_dicomdir
from engine.dicom.natural_order import natural_key
from engine.errors import Cancelled, UserError, exists, missing
from engine.progress import IsCancelled

Reject = Callable[[str, str], None]
"""Called with the path of what is left out, and the reason."""


def files_of(path: Path, reject: Reject, cancelled: IsCancelled) -> Iterator[Path]:
    """The file itself, the regular files below a folder, or the files of a DICOMDIR after the DICOMDIR.

    Args:
        path: what to read.
        reject: called for each file or folder that is left out.
        cancelled: asked before each folder.

    Raises:
        UserError: `path` does not exist.
        Cancelled: `cancelled` returned true.
    """
    if not exists(path):
        raise missing(path)
    yield from (_listed_files if is_dicomdir(path) else _walk)(path, reject, cancelled)


def _listed_files(path: Path, reject: Reject, cancelled: IsCancelled) -> Iterator[Path]:
    """The files of a DICOMDIR; those of its folder when it is damaged or none of its files exists."""
    try:
        index = read_dicomdir(path)
        problem = f"None of the {len(index.missing)} files in this DICOMDIR exists; its folder was read instead."
    except UserError as error:
        index, problem = None, f"{error} Its folder was read instead."
    if index is not None and index.files:
        for rejected in index.missing:
            reject(rejected.path, rejected.reason)
        yield path
        yield from index.files
        return
    reject(str(path), problem)
    yield from (file for file in _walk(path.parent, reject, cancelled) if file != path)


def _walk(top: Path, reject: Reject, cancelled: IsCancelled) -> Iterator[Path]:
    """Regular files below `top` in natural order of name. Linked folders are entered once, so link loops end."""
    if not top.is_dir():
        yield top
        return
    entered: set[tuple[int, int]] = set()
    waiting = [top]
    while waiting:
        if cancelled():
            raise Cancelled
        folder = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            reject(str(folder), f"The folder cannot be read ({error.strerror}); check its permissions.")
            continue
        folders = []
        for entry in ordered:
            try:
                mode = entry.stat().st_mode
            except OSError:
                reject(entry.path, "The link points to a missing file; copy the file itself.")
                continue
            if stat.S_ISDIR(mode):
                folders.append(Path(entry.path))
            elif stat.S_ISREG(mode):
                yield Path(entry.path)
            else:
                reject(entry.path, "This is a device or a pipe, not a file.")
        waiting.extend(reversed(folders))
