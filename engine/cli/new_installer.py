"""Compares the file of an installer with the running Kindred: version, edition, checksums. Installs nothing."""

import hashlib
import io
import json
import lzma
import re
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli.doctor import Check, kindred_version
from engine.cli.installation import CHECKSUMS, RELEASE, installation, parse_checksums
from engine.errors import UserError, exists, missing
from engine.text.words import counted

INSTALL = {
    ".deb": "sudo apt install {}",
    ".rpm": "sudo dnf install {}",
    ".gz": "unpack it with tar -xzf {}",
    ".exe": "start it",
}
"""What the user does with each kind of file."""
VERSION = re.compile(r"kindred(?P<gpu>-gpu)?[-_](?P<version>\d+(?:\.\d+)+)")
IN_RESOURCE = "ProductVersion\0".encode("utf-16-le")
"""Key of the version in a program for Windows; its value follows, in UTF-16, ended by a zero."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an installer says of itself."""

    version: str
    edition: str
    checksums: dict[str, str] | None = None
    """SHA-256 by path in the installed folder, as listed in it; None for a kind of file that cannot be read here."""
    damaged: tuple[str, ...] = ()
    """Files that are not as listed."""


def examine_installer(path: Path) -> list[Check]:
    """Compare an installer with what is running.

    Raises:
        UserError: it is missing, damaged, or no installer of Kindred.
    """
    if not exists(path):
        raise missing(path)
    found = read_installer(path)
    checks = [_compared(path, found), _listed(path)]
    if found.checksums is not None:
        checks.append(_contents(found))
    how = INSTALL[path.suffix].format(path)
    return [*checks, Check("install", True, f"Kindred never updates itself; to install this version: {how}", note=True)]


def read_installer(path: Path) -> Contents:
    """Read what an installer says of itself, and compare the files in it with its own list.

    Raises:
        UserError: it is damaged, or no installer of Kindred.
    """
    try:
        if path.suffix == ".deb":
            with path.open("rb") as file, _tar_of_deb(file) as tar:
                return _from_tar(tar)
        if path.suffix == ".gz":
            with tarfile.open(path) as tar:
                return _from_tar(tar)
        if path.suffix in INSTALL:
            return _named(_rpm_name(path) if path.suffix == ".rpm" else _windows_name(path))
    except (OSError, EOFError, LookupError, ValueError, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{path} is damaged or no installer of Kindred; download it again.", path) from error
    raise UserError(f"{path} is no installer of Kindred: those end with .deb, .rpm, .tar.gz or .exe.", path)


def _compared(path: Path, found: Contents) -> Check:
    running = kindred_version()
    order = {1: "newer than", 0: "as old as", -1: "older than"}[_order(found.version, running)]
    text = f"{path.name} is Kindred {found.version} ({found.edition.upper()} edition), {order} the running {running}."
    mine = installation()
    if mine is not None and mine.release()["edition"] != found.edition:
        text += f" The running one is the {mine.release()['edition'].upper()} edition."
    return Check("version", True, text)


def _order(one: str, other: str) -> int:
    """1 if the first version is newer, -1 if it is older, 0 otherwise."""
    left, right = ([int(part) for part in re.findall(r"\d+", version)] for version in (one, other))
    return (left > right) - (left < right)


def _listed(path: Path) -> Check:
    """Whether the file is as listed in SHA256SUMS beside it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    beside = path.with_name(CHECKSUMS)
    try:
        expected = parse_checksums(beside.read_text(encoding="utf-8")).get(path.name)
    except (OSError, ValueError):
        expected = None
    if expected is None:
        text = f"There is no {CHECKSUMS} beside it that lists it; compare with the published SHA-256: {digest}"
        return Check("checksum", True, text, note=True)
    if expected != digest:
        text = f"{path.name} is not as {beside} lists it (its SHA-256 is {digest}); download it again."
        return Check("checksum", False, text)
    return Check("checksum", True, f"Its SHA-256 is as {beside} lists it.")


def _contents(found: Contents) -> Check:
    listed = found.checksums or {}
    if found.damaged:
        named = ", ".join(found.damaged[:3])
        return Check("contents", False, f"{counted(len(found.damaged), 'file')} in it changed or missing ({named}).")
    text = f"All {len(listed):,} files in it are as it lists them."
    mine = installation()
    if mine is not None:
        here = mine.checksums()
        changed = sum(here[name] != listed[name] for name in here.keys() & listed.keys())
        new, gone = len(listed.keys() - here.keys()), len(here.keys() - listed.keys())
        text += f" Beside the installed ones {changed:,} differ, {new:,} are new and {gone:,} are gone."
    return Check("contents", True, text)


def _from_tar(tar: tarfile.TarFile) -> Contents:
    """Read the folder of the app in a tar file, in one pass.

    Raises:
        LookupError: there is none.
    """
    digests: dict[str, str] = {}
    said: dict[str, bytes] = {}
    for member in tar:
        file = tar.extractfile(member) if member.isfile() else None
        if file is None:
            continue
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
            if Path(member.name).name in (RELEASE, CHECKSUMS):
                said[member.name] = said.get(member.name, b"") + block
        digests[member.name] = digest.hexdigest()
    homes = [name.removesuffix(RELEASE) for name in said if name.endswith(f"/{RELEASE}")]
    if not homes:
        raise LookupError(RELEASE)
    home = homes[0]
    release: dict[str, Any] = json.loads(said[home + RELEASE])
    listed = parse_checksums(said[home + CHECKSUMS].decode())
    damaged = tuple(name for name, digest in listed.items() if digests.get(home + name) != digest)
    return Contents(release["version"], release["edition"], listed, damaged)


@contextmanager
def _tar_of_deb(file: io.BufferedReader) -> Iterator[tarfile.TarFile]:
    """The tar file with what a .deb installs, which is a member of an ar file (deb(5)).

    Raises:
        ValueError: there is none.
    """
    if file.read(8) != b"!<arch>\n":
        raise ValueError("no ar file")
    while header := file.read(60):
        name, size = header[:16].decode().strip(" /"), int(header[48:58])
        if name.startswith("data.tar"):
            with tarfile.open(fileobj=file, mode="r|*") as tar:
                yield tar
            return
        file.seek(size + size % 2, io.SEEK_CUR)
    raise ValueError("no data.tar")


def _rpm_name(path: Path) -> str:
    """Name and version in the lead of an .rpm."""
    with path.open("rb") as file:
        lead = file.read(96)
    if lead[:4] != b"\xed\xab\xee\xdb":
        raise ValueError("no lead")
    return lead[10:76].rstrip(b"\0").decode()


def _windows_name(path: Path) -> str:
    """Name and version in the resources of a program for Windows."""
    data = path.read_bytes()
    at = data.index(IN_RESOURCE) + len(IN_RESOURCE)
    value = data[at : at + 80].decode("utf-16-le", "replace").strip("\0").split("\0")[0]
    edition = "-gpu" if "kindred-gpu".encode("utf-16-le") in data else ""
    return f"kindred{edition}-{value}"


def _named(name: str) -> Contents:
    found = VERSION.match(name)
    if found is None:
        raise ValueError(name)
    return Contents(found["version"], "gpu" if found["gpu"] else "cpu")
