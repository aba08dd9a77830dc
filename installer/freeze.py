"""Freezes the app into one folder with PyInstaller, and leaves out of it what is not needed to run it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from installer.highdicom_tables import WRITTEN, keep_modules
from installer.icu import reduce_library
from installer.release import ROOT, Release

SPEC = ROOT / "installer.spec"
STRIPPED = (
    *("libpython3*", "_CharLS*", "_openjpeg*", "tokenizers/*", "PIL/*.so", "imagecodecs/*.so", "rle/*.so", "lxml/*.so"),
    *("cryptography/*.so", "sqlcipher3/*.so"),
    *("python3*/lib-dynload/*", "numpy/*.so", "PySide6/Qt/lib/libicui18n*", "PySide6/Qt/lib/libicuuc*"),
)
"""Files with symbols for debuggers. Libraries that `auditwheel` has rewritten (numpy.libs, faiss) are not among them:
`strip` makes some of them impossible to load."""


def freeze(release: Release, build: Path, dist: Path) -> Path:
    """Freeze the app into dist/kindred, and return that folder.

    Args:
        release: its time becomes that of what PyInstaller writes.
        build: folder for intermediate files; afterwards it has `sources.json`, the origin of every file.
        dist: folder in which the folder `kindred` is made anew.

    Raises:
        subprocess.CalledProcessError: PyInstaller failed.
    """
    _sources(build).unlink(missing_ok=True)  # of another recipe, it would name other files
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR"]
    command += ["--distpath", str(dist), "--workpath", str(build), str(SPEC)]
    fixed = {"PYTHONHASHSEED": "1", "SOURCE_DATE_EPOCH": str(release.seconds), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, env={**os.environ, **fixed}, check=True)
    folder = dist / "kindred"
    if sys.platform == "linux" and shutil.which("strip"):
        for path in _with_symbols(folder / "_internal"):
            subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
        for library in (folder / "_internal").rglob("libicudata.so.*"):
            if not library.is_symlink():
                reduce_library(library)
    keep_modules(folder / "_internal/highdicom/_standard", WRITTEN)
    return folder


def origins(build: Path) -> list[tuple[str, str]]:
    """Name and origin of every file that was frozen, as `installer.spec` has written them."""
    return [(name, source) for name, source in json.loads(_sources(build).read_text())]


def _sources(build: Path) -> Path:
    """PyInstaller's work folder is called like the recipe."""
    return build / SPEC.stem / "sources.json"


def _with_symbols(internal: Path) -> Iterator[Path]:
    for path in sorted(internal.rglob("*")):
        name = path.relative_to(internal).as_posix()
        if path.is_file() and not path.is_symlink() and any(fnmatch(name, pattern) for pattern in STRIPPED):
            yield path
