"""Remembers the folders of bundles on this machine, so that an archive can find the models that indexed it.

Knows no archive. The file is one JSON object of the user: {bundle id: folder}.
"""

import json
from pathlib import Path

from engine.bundle import Bundle
from engine.errors import UserError
from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

FILE = "bundles.json"


def remember(bundle: Bundle) -> None:
    """Remember the folder of a bundle.

    Raises:
        UserError: the file cannot be written.
    """
    path = user_folder() / FILE
    folders = _read(path) | {bundle.id: str(bundle.folder.resolve())}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, [json.dumps(folders, indent=1).encode()])
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
        content = read_json(path)
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}
