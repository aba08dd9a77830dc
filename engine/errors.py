"""User-fixable errors versus bugs. Does not know how messages are shown.

Any exception other than those defined here is a bug.
"""

from dataclasses import dataclass
from pathlib import Path


class UserError(Exception):
    """A problem that the user can fix. The message is ready to show: what happened, to what, and what to do."""

    def __init__(self, sentence: str, other: Path | str = "") -> None:
        """Create an error.

        Args:
            sentence: the message.
            other: a file or folder named in the message; hidden with patient data, since it may contain a name.
        """
        super().__init__(sentence)
        self.other = str(other)


class DamagedError(UserError):
    """A database or its key is damaged, and a backup can replace it; `other` is its folder."""


class LockedError(UserError):
    """A folder is encrypted and its passphrase was not given; `other` is the folder."""


class UnreachableError(UserError):
    """A server that was named by its address does not answer, now; what waits for it can be tried again later."""


def missing(path: Path) -> UserError:
    """The error for a file or folder that does not exist."""
    return UserError(f"{path} does not exist; check the name and the drive.", path)


def exists(path: Path) -> bool:
    """Whether a file or folder exists.

    Raises:
        UserError: that cannot be determined, for example without permission for its folder.
    """
    try:
        return path.exists()
    except OSError as error:
        raise UserError(f"{error.strerror}: {path}", path) from None


class Cancelled(Exception):
    """A job was cancelled by its caller; no partial result was kept."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """One input that was rejected while the others were processed."""

    path: str
    reason: str
    other: str = ""
    """Another file named in the reason."""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"path": self.path, "reason": self.reason}
