"""Where bundles were last seen on this machine, so that an archive finds the models that made its vectors.

Knows no archive; one small file of the user: {bundle id: folder}.
"""

import json
import os
from pathlib import Path

from engine.bundle import Bundle
from engine.errors import UserError
from engine.resources import user_folder

FILE = "bundles.json"


def remember(bundle: Bundle) -> None:
    """Note where a bundle lies.

    Raises:
        UserError: the file cannot be written.
    """
    path = user_folder() / FILE
    places = _read(path) | {bundle.id: str(bundle.folder.resolve())}
    part = path.with_name(f"{FILE}.{os.getpid()}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(json.dumps(places, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}); free the disk or its folder.") from error


def find(bundle_id: str) -> Bundle | None:
    """Open the bundle with this id if it still lies where it was, or None: then the archive has to be moved."""
    folder = _read(user_folder() / FILE).get(bundle_id)
    if folder is None:
        return None
    try:
        bundle = Bundle.open(folder)
    except UserError:  # gone or damaged: the same as never seen
        return None
    return bundle if bundle.id == bundle_id else None


def _read(path: Path) -> dict[str, str]:
    """What was noted; nothing when the file is missing or damaged, since any bundle can be chosen by hand."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}
