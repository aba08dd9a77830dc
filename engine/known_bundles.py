"""Remembers the folders of bundles on this machine, so that an archive can find the models that indexed it.

Knows no archive. The file is one JSON object of the user: {bundle id: folder}.
"""

import json
import os
from pathlib import Path

from engine.bundle import Bundle
from engine.errors import UserError
from engine.resources import user_folder

FILE = "bundles.json"


def remember(bundle: Bundle) -> None:
    """Remember the folder of a bundle.

    Raises:
        UserError: the file cannot be written.
    """
    path = user_folder() / FILE
    folders = _read(path) | {bundle.id: str(bundle.folder.resolve())}
    part = path.with_name(f"{FILE}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(json.dumps(folders, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); check the disk and its permissions.") from error


def find(bundle_id: str) -> Bundle | None:
    """Open the bundle with this id if it is still in its folder; None when the archive must be re-indexed."""
    folder = _read(user_folder() / FILE).get(bundle_id)
    if folder is None:
        return None
    try:
        bundle = Bundle.open(folder)
    except UserError:  # deleted or damaged: the same as unknown
        return None
    return bundle if bundle.id == bundle_id else None


def _read(path: Path) -> dict[str, str]:
    """The remembered folders; none when the file is missing or damaged, since users can choose a bundle themselves."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}
