"""Writes what an installed folder says of itself: release.json and the SHA-256 of every file."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from engine.cli.installation import CHECKSUMS, RELEASE
from installer.release import Release


def files_of(folder: Path) -> Iterator[Path]:
    """Every file below a folder in a fixed order, without links."""
    yield from (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, release: Release) -> None:
    """Write release.json and SHA256SUMS into a frozen folder; `sha256sum -c` reads the latter too."""
    (folder / RELEASE).write_text(json.dumps(release.as_dict(), indent=2) + "\n", encoding="utf-8")
    write_checksums(folder / CHECKSUMS, [path for path in files_of(folder) if path.name != CHECKSUMS])


def write_checksums(target: Path, paths: list[Path]) -> None:
    """Write the SHA-256 of files, named relative to the folder of `target`."""
    lines = [f"{sha256(path)}  {path.relative_to(target.parent).as_posix()}\n" for path in paths]
    target.write_text("".join(lines), encoding="utf-8", newline="\n")
