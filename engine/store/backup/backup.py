"""A finished backup: what it says of itself, and whether it is whole. Makes, drops and restores none.

A backup is a folder with a copy of the database, the small files beside it, and backup.json with their SHA-256.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import UserError
from engine.store.backup.copying import digest, is_intact
from engine.store.backup.location import backup_folder
from engine.store.backup.source import Kind, Source
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

MANIFEST = "backup.json"
UNFINISHED = ".new"
"""End of the name of a backup that is being made or dropped."""
UPGRADE = "before-upgrade"


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    path: Path
    """Its folder."""
    kind: Kind
    made: datetime
    """In UTC."""
    of: Path
    """The folder that was backed up."""
    rows: int
    """Cases of an archive, or reports of a workspace."""
    files: dict[str, str]
    """SHA-256 of each file, by its path in the backup."""
    state: list[list[object]]
    """Of the source (Source.state)."""
    reason: str = ""
    """UPGRADE for one that was made before an upgrade, which is kept longer."""

    @property
    def size(self) -> int:
        """Bytes of its files, of those that are there."""
        paths = [self.path / name for name in self.files]
        return sum(path.stat().st_size for path in paths if path.is_file())

    @property
    def database(self) -> str:
        """Name of its database."""
        return next(name for name in self.files if name.endswith(".db"))

    def age(self, now: datetime | None = None) -> str:
        """Such as "3 hours" or "2 days"."""
        minutes = max(0, int(((now or datetime.now(UTC)) - self.made).total_seconds() // 60))
        for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
            if minutes >= 2 * size or size == 1:
                number = minutes // size
                return f"{number} {unit}{'' if number == 1 else 's'}"
        return ""


def backups_of(source: Source, root: Path | None = None) -> list[Backup]:
    """The finished backups of an archive or workspace, oldest first."""
    return backups_in((root or backup_folder()) / source.name)


def backups_in(folder: Path) -> list[Backup]:
    """The finished backups in a folder, oldest first; what is no backup is left out."""
    found: list[Backup] = []
    try:
        paths = [path for path in folder.iterdir() if path.suffix != UNFINISHED and (path / MANIFEST).is_file()]
    except OSError:
        return []
    for path in paths:
        try:
            found.append(read(path))
        except UserError:
            continue
    return sorted(found, key=lambda one: (one.made, one.path.name))


def read(path: Path) -> Backup:
    """What a backup says of itself; its files are not read.

    Raises:
        UserError: it is no backup, or its manifest is damaged.
    """
    try:
        content: Any = read_json(path / MANIFEST)
        kind, files = content["kind"], {str(name): str(value) for name, value in content["files"].items()}
        inside = all(not Path(name).is_absolute() and ".." not in Path(name).parts for name in files)
        if kind not in ("archive", "workspace") or not inside or not any(name.endswith(".db") for name in files):
            raise ValueError(kind)
        at = datetime.fromisoformat(content["made"])
        state, of = list(content["state"]), Path(str(content["of"]))
        return Backup(path, kind, at, of, int(content["rows"]), files, state, str(content["reason"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is not a backup of Kindred; choose a folder with {MANIFEST}.", path) from None


def check(backup: Backup) -> None:
    """Compare every file of a backup with its SHA-256, and let SQLite check the database.

    Raises:
        UserError: something is missing or damaged.
    """
    try:
        whole = all(digest(backup.path / name) == value for name, value in backup.files.items())
    except OSError:
        whole = False
    if not whole or not is_intact(backup.path / backup.database):
        raise UserError(f"The backup {backup.path} is damaged; choose an earlier one.", backup.path)


def write_manifest(backup: Backup) -> None:
    """Write what a backup says of itself. Raises OSError."""
    content = {
        "kind": backup.kind,
        "made": backup.made.isoformat(),
        "of": str(backup.of),
        "rows": backup.rows,
        "files": backup.files,
        "state": backup.state,
        "reason": backup.reason,
    }
    write_whole(backup.path / MANIFEST, [json.dumps(content, indent=1).encode("utf-8", "surrogateescape")])


def stamp(at: datetime) -> str:
    """A time in UTC as part of a name."""
    return at.strftime("%Y%m%dT%H%M%SZ")


def free_path(path: Path) -> Path:
    """The path, with a number where something is there already."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
