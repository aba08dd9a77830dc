"""What the frozen app is made of: packages, libraries inside of them, system libraries, models and data."""

import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePath

from installer.licensing import LIBRARIES, Library, licence_of
from installer.release import ROOT, Release


@dataclass(frozen=True, slots=True)
class Component:
    """One part that somebody wrote, with its licence."""

    name: str
    version: str
    licence: str
    """SPDX expression, or the name of a licence of its own."""
    purl: str = ""
    """Package URL; "" for what is part of another package."""
    kind: str = "library"
    """A component type of CycloneDX."""
    texts: tuple[Path, ...] = field(default=(), compare=False)
    """Files with the licence."""


IN_GUIDE = ("furo", "Sphinx")
"""Their style sheets and scripts are in the pages of the user guide."""
SHARED = re.compile(r"\.(so|dll|dylib)(\.[\d.]+)?$")
CODE = (".py", ".pyc", ".pyi", ".html", ".so")
WITH_TEXTS = re.compile(r"(licen[cs]e|copying|notice|authors|\.cyclonedx\.json$)", re.IGNORECASE)


def components(sources: Iterable[tuple[str, str]], release: Release) -> list[Component]:
    """The parts of a frozen folder.

    Args:
        sources: each file's name in it and its path on this machine, as `installer.spec` writes them.
        release: the version of Kindred itself.

    Raises:
        LookupError: the licence of a part, or the origin of a shared library, is not known.
    """
    owners = _owners()
    found: set[Component] = set()
    for name, source in sources:
        owner = owners.get(str(Path(source).resolve()))
        if owner is not None:
            found.add(_distribution(owner))
        library = next((one for one in LIBRARIES if fnmatch(PurePath(name).name, one.pattern)), None)
        if library is not None:
            found.add(_library(library, Path(source).resolve(), owner))
        elif owner is None and SHARED.search(source) and not source.startswith(sys.base_prefix):
            raise LookupError(f"Nobody knows where {name} comes from; add it to LIBRARIES in installer/licensing.py.")
    found.update(_distribution(importlib.metadata.distribution(name)) for name in ("pyinstaller", *IN_GUIDE))
    return sorted({*found, _python(), *_shipped(release)}, key=lambda one: (one.name.lower(), one.version))


def _owners() -> dict[str, importlib.metadata.Distribution]:
    """Which installed package each file belongs to."""
    return {
        str(Path(str(owner.locate_file(path))).resolve()): owner
        for owner in importlib.metadata.distributions()
        for path in owner.files or ()
    }


def _distribution(owner: importlib.metadata.Distribution) -> Component:
    name = owner.name.lower().replace("_", "-")
    paths = [Path(str(owner.locate_file(path))) for path in owner.files or () if WITH_TEXTS.search(path.name)]
    in_folder = [path for path in paths if path.suffix not in (".py", ".pyc", ".pyi", ".html")]
    return Component(
        owner.name, owner.version, licence_of(owner), f"pkg:pypi/{name}@{owner.version}", texts=tuple(in_folder)
    )


def _library(library: Library, source: Path, owner: importlib.metadata.Distribution | None) -> Component:
    if owner is not None:  # the name of its file has the version of its interface, which is not its own
        return Component(f"{library.name} (in {owner.name} {owner.version})", "", library.licence)
    package, version = _debian_package(source)
    texts = tuple(path for path in (Path("/usr/share/doc") / package / "copyright",) if package and path.exists())
    purl = f"pkg:deb/debian/{package}@{version}" if package else ""
    return Component(library.name, version, library.licence, purl, texts=texts)


def _debian_package(source: Path) -> tuple[str, str]:
    """Name and version of the Debian package of a file; "" where there is none."""
    for path in (source, Path("/") / source.relative_to("/usr") if source.is_relative_to("/usr") else source):
        try:
            owned = subprocess.run(["dpkg-query", "-S", str(path)], capture_output=True, text=True, check=False)
        except OSError:
            return "", ""
        if owned.returncode == 0:
            package = owned.stdout.split(":")[0]
            command = ["dpkg-query", "-W", "-f", "${Version}", package]
            return package, subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "", ""


def _python() -> Component:
    version = ".".join(map(str, sys.version_info[:3]))
    texts = tuple(Path(sys.base_prefix).rglob("LICENSE.txt"))[:1]
    return Component("Python", version, "Python-2.0", f"pkg:generic/python@{version}", texts=texts)


def _shipped(release: Release) -> list[Component]:
    """Kindred itself, its models and its data."""
    resources = ROOT / "resources"
    weights = "LicenseRef-Kindred-weights-research-non-commercial"
    sample = "LicenseRef-CC-BY-credit-in-every-row"
    return [
        Component("Kindred", release.version, "Apache-2.0", kind="application", texts=(ROOT / "LICENSE",)),
        Component(
            "Kindred starter bundle",
            release.version,
            weights,
            kind="machine-learning-model",
            texts=(resources / "starter-bundle/MODEL_CARD.md",),
        ),
        Component(
            "PP-OCRv3 text detector",
            "3",
            "Apache-2.0",
            kind="machine-learning-model",
            texts=(resources / "text-detector/README.md",),
        ),
        Component(
            "Kindred sample archive",
            release.version,
            sample,
            kind="data",
            texts=(resources / "sample-archive/README.md",),
        ),
    ]
