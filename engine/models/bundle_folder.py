"""Replaces a bundle folder as a whole, or leaves it as it is. Knows no models."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.models import manifest
from engine.store.safety.whole_file import flush, flush_folder


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that replaces it on success and is deleted on failure.

    Raises:
        UserError: `target` exists and is not a bundle, so that replacing it could destroy something else.
    """
    manifest.require_export_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as temporary:
        fresh, old = Path(temporary) / "new", Path(temporary) / "old"
        fresh.mkdir()
        yield fresh
        flush_folder(fresh)
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:  # the old bundle must not go with the temporary folder
            if old.exists():
                old.rename(target)
            raise
        flush(target.parent)
