"""The studies that the app retrieved: where they are, how much room they take, and deleting them."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.pacs.studies import is_uid
from engine.resources import user_folder

FOLDER = "pacs"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there."""

    studies: int
    bytes: int


def retrieved_folder(folder: Path | None = None) -> Path:
    """Where the app keeps retrieved studies: in the user's folder, or in another one."""
    return (folder or user_folder()) / FOLDER


def kept(folder: Path) -> Kept:
    """How many studies lie in a folder, and how much room they take."""
    studies = _studies(folder)
    size = sum(path.stat().st_size for study in studies for path in study.iterdir() if path.is_file())
    return Kept(len(studies), size)


def delete(folder: Path, keep: Collection[str] = ()) -> int:
    """Delete the retrieved studies, and return how many.

    Args:
        folder: with one folder a study.
        keep: UIDs of those that stay, since they are open.

    Raises:
        UserError: one cannot be deleted.
    """
    gone = [study for study in _studies(folder) if study.name not in keep]
    for study in gone:
        try:
            shutil.rmtree(study)
        except OSError as error:
            raise UserError(f"A retrieved study cannot be deleted: {error.strerror or error}.", study) from None
    return len(gone)


def _studies(folder: Path) -> list[Path]:
    """The folders of studies; anything else is not of this wing."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if is_uid(path.name) and path.is_dir() and not path.is_symlink()]
