"""Remembers which archives this user has opened, so that one that comes from others is examined the first time only.

Knows no archive. The file holds hashes; without it, or when it cannot be written, archives are examined again.
"""

import hashlib
import json
import os
from pathlib import Path

from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

FILE = "archives.json"
MOST = 200


def is_known(folder: Path, check: str) -> bool:
    """Whether the archive with this check value was opened in this folder before."""
    return _name(folder, check) in _read()


def remember(folder: Path, check: str) -> None:
    """Remember it, if the user's folder can be written."""
    path = user_folder() / FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, [json.dumps([*_read(), _name(folder, check)][-MOST:]).encode()])
    except OSError:
        return


def _read() -> list[str]:
    try:
        content = read_json(user_folder() / FILE)
    except (OSError, ValueError):
        return []
    return [one for one in content if isinstance(one, str)] if isinstance(content, list) else []


def _name(folder: Path, check: str) -> str:
    return hashlib.sha256(os.fsencode(folder.resolve()) + b"\0" + check.encode()).hexdigest()[:32]
