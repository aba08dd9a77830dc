"""What is backed up: a folder with one database and the small files that belong to it. Knows no table."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.resources import user_folder
from engine.store.encryption.key_file import FILE as ENCRYPTION_FILE
from engine.store.identity import KEY_FILE

Kind = Literal["archive", "workspace"]


@dataclass(frozen=True, slots=True)
class Source:
    """An archive, or the workspace with the user's settings and templates.

    Derived files rebuild themselves and are left out, as are the local paths of cases (sources.db): they often hold
    names, and were kept in one place only.
    """

    kind: Kind
    folder: Path
    database: str
    files: tuple[str, ...]
    """Files and folders of files beside the database that are copied as they are."""

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / self.database

    @property
    def name(self) -> str:
        """Of the folder with its backups: that of the archive, and a hash of where it is."""
        folder = self.folder.resolve()
        where = hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]
        label = re.sub(r"[^\w.-]+", "_", folder.name)[:40] if self.kind == "archive" else ""
        return "-".join(filter(None, (self.kind, label, where)))

    def beside(self) -> list[Path]:
        """The small files that are there, relative to the folder, in order."""
        found: list[Path] = []
        for name in self.files:
            path = self.folder / name
            inside = sorted(path.iterdir()) if path.is_dir() else [path]
            found += [one.relative_to(self.folder) for one in inside if one.is_file() and one.suffix != ".new"]
        return found

    def state(self) -> list[list[object]]:
        """Changes whenever something was written; may change without a change of content. For JSON."""
        names = [self.database, f"{self.database}-wal", *map(str, self.beside())]
        found = [(name, _stat(self.folder / name)) for name in names]
        return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in found if stat and stat.st_size]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def archive_source(folder: Path) -> Source:
    """An archive with its key."""
    return Source("archive", folder, "archive.db", (KEY_FILE, ENCRYPTION_FILE))


def workspace_source(folder: Path | None = None) -> Source:
    """The reports and marks of the user's studies, with settings and templates; None is the user's folder."""
    return Source(
        "workspace",
        folder or user_folder(),
        "workspace.db",
        ("audit.key", ENCRYPTION_FILE, "settings.json", "templates"),
    )
