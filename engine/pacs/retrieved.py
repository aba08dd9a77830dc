"""What a retrieval did, and the studies that the app has retrieved: where they are, their size, deleting them."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Rejected, UserError
from engine.pacs.studies import is_uid
from engine.resources import user_folder

FOLDER = "pacs"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there."""

    studies: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What a retrieval did."""

    folder: Path
    """Holds the study, one file an object."""
    new: int
    """Objects that were written."""
    there: int
    """Objects that were there and whole."""
    missing: int
    """Objects that the PACS lists and did not send, beside those that were rejected."""
    bytes: int
    """Of the new objects."""
    rejected: tuple[Rejected, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "folder": str(self.folder),
            "new": self.new,
            "there": self.there,
            "missing": self.missing,
            "bytes": self.bytes,
            "rejected": [one.as_dict() for one in self.rejected],
        }


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
