"""Where backups are kept: a folder of the user's data, or one that was chosen. Knows no backup."""

import json
import os
from pathlib import Path

from engine.errors import UserError
from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

FILE = "backups.json"
FOLDER = "backups"


def backup_folder() -> Path:
    """The folder of all backups; it may not exist yet, or be on a drive that is not connected."""
    return chosen_folder() or user_folder() / FOLDER


def chosen_folder() -> Path | None:
    """The folder that was chosen in place of the default one; None for none, or when that cannot be read."""
    try:
        content = read_json(user_folder() / FILE)
    except (OSError, ValueError):
        return None
    folder = content.get("folder") if isinstance(content, dict) else None
    return Path(folder) if isinstance(folder, str) and folder else None


def choose_folder(folder: Path | None) -> None:
    """Keep backups in this folder from now on; None is the default one. Earlier backups stay where they are.

    Raises:
        UserError: it is no folder that can be written.
    """
    if folder is not None and not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UserError(f"Backups cannot be kept in {folder}: choose a folder that you can write to.", folder)
    home = user_folder()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = {"folder": "" if folder is None else str(folder.absolute())}
        write_whole(home / FILE, [json.dumps(content).encode()])
    except OSError as error:
        raise UserError(f"The folder of backups cannot be stored in {home}: {error.strerror}.", home) from None
