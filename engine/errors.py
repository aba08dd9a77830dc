"""The line between the user's disk and our bug. Knows nothing of who shows the message."""

from dataclasses import dataclass


class UserError(Exception):
    """A problem the user can act on: one clear sentence, ready to show, that says what to do."""

    other = ""
    """Another file that the sentence names, so that it can be hidden with its own."""


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
