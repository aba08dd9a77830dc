"""Opens the archive of an import, or creates it and takes it away again when nothing comes into it. Imports nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.archive import Archive
from engine.errors import Cancelled, UserError, exists


@contextmanager
def opened_or_created(folder: Path) -> Iterator[Archive]:
    """The archive in a folder.

    One created here is removed when the import fails before any case is archived, unless another process has opened it.

    Raises:
        UserError: the archive can neither be opened nor created.
    """
    created, was_there = not Archive.exists(folder), exists(folder)
    archive = Archive.create(folder) if created else Archive.open(folder)
    try:
        with archive:
            yield archive
    except (UserError, Cancelled):
        if created and archive.is_unused():
            shutil.rmtree(folder)
            if was_there:
                folder.mkdir()
        raise
    finally:
        archive.close()
