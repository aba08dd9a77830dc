"""The line between the user's disk and our bug. Knows nothing of who shows the message."""

from dataclasses import dataclass
from pathlib import Path


class UserError(Exception):
    """A problem the user can act on: one clear sentence, ready to show, that says what to do."""

    def __init__(self, sentence: str, other: Path | str = "") -> None:
        """`other`: a file or folder that the sentence names and that may be called after a patient, to be hidden."""
        super().__init__(sentence)
        self.other = str(other)


def missing(path: Path) -> UserError:
    """What to raise for a file or folder that was asked for and is not there."""
    return UserError(f"{path} does not exist; check the name and the drive.", path)


def exists(path: Path) -> bool:
    """Whether a file or folder is there.

    Raises:
        UserError: nobody can say, for example below a folder that this user may not enter.
    """
    try:
        return path.exists()
    except OSError as error:
        raise UserError(f"{path} cannot be reached ({error.strerror}); check the name and its folder.", path) from None


class Cancelled(Exception):
    """The caller asked a long job to stop; nothing half-done was kept."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One input that was refused while the rest went on."""

    path: str
    reason: str
    other: str = ""
    """Another file that the reason names."""

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "reason": self.reason}
