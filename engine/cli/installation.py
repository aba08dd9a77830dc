"""What an installed folder says of itself: its release, and the SHA-256 of every file. Writes nothing."""

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import UserError

RELEASE, CHECKSUMS = "release.json", "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Installation:
    """A frozen app, as an installer has put it there."""

    folder: Path

    def release(self) -> dict[str, Any]:
        """Version, edition, commit and date.

        Raises:
            UserError: the file is missing or damaged.
        """
        try:
            return dict(json.loads((self.folder / RELEASE).read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise UserError(f"{self.folder / RELEASE} is missing or damaged; install Kindred again.") from error

    def checksums(self) -> dict[str, str]:
        """The SHA-256 of every file, by its path in the folder.

        Raises:
            UserError: the list is missing or damaged.
        """
        try:
            return parse_checksums((self.folder / CHECKSUMS).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{self.folder / CHECKSUMS} is missing or damaged; install Kindred again.") from error

    def changed_files(self) -> list[str]:
        """Files that are missing or are not as they were installed."""
        return [name for name, digest in self.checksums().items() if _sha256(self.folder / name) != digest]


def parse_checksums(text: str) -> dict[str, str]:
    """Checksums by path, from the lines that `sha256sum` writes.

    Raises:
        ValueError: the text has another form.
    """
    pairs = (line.split("  ", 1) for line in text.splitlines() if line)
    return {name: digest for digest, name in pairs}


def installation() -> Installation | None:
    """The running installation; None when Kindred runs from source."""
    return Installation(Path(sys.executable).parent) if getattr(sys, "frozen", False) else None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
