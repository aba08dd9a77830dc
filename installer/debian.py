"""Packs the app as a .deb with `dpkg-deb`. It has no maintainer scripts: all that it installs is removed with it."""

import hashlib
import os
import subprocess
from pathlib import Path

from installer.release import Release
from installer.system_libraries import debian_packages, needed
from installer.system_tree import lay_out, settle

CONTROL = """Package: {package}
Version: {version}
Architecture: amd64
Maintainer: The Kindred authors <kindred@localhost>
Installed-Size: {kilobytes}
Depends: {depends}
Recommends: {recommends}
Conflicts: {other}
Section: science
Priority: optional
Description: Radiology assistant that finds earlier cases and drafts reports
 Kindred opens DICOM studies, finds archived cases that look like them by image or
 by words, and drafts the report from theirs. It works offline, on one computer.
 .
 Research software, not for diagnostic use.
"""
FONTS = "fonts-dejavu-core | fonts-freefont-ttf | fonts-noto-core | fonts-liberation"


def build(folder: Path, work: Path, dist: Path, release: Release, fast: bool = False) -> Path:
    """Pack a frozen folder and return the path of the package.

    Args:
        folder: the frozen app with its manifest.
        work: folder for the tree of the package.
        dist: where the package is written.
        release: names the package.
        fast: compress little, for a package that is only tried.
    """
    root = work / "deb"
    lay_out(folder, root, release)
    libraries = needed(root)
    packages = [f"libc6 (>= {libraries.glibc})", *(set(debian_packages(libraries.required)) - {"libc6"})]
    control = CONTROL.format(
        package=release.package,
        version=release.version,
        kilobytes=sum(path.lstat().st_size for path in root.rglob("*")) // 1024,
        depends=", ".join(sorted([*packages, FONTS])),
        recommends=", ".join(debian_packages(libraries.optional)),
        other="kindred-gpu" if release.edition == "cpu" else "kindred",
    )
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(control, encoding="utf-8")
    (root / "DEBIAN/md5sums").write_text(_md5sums(root), encoding="utf-8")
    settle(root, release)
    target = dist / f"{release.package}_{release.version}_amd64.deb"
    level = ["-Zgzip", "-z1"] if fast else ["-Zxz", "-z6"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(release.seconds)}
    command = ["dpkg-deb", "--root-owner-group", *level, "--build", str(root), str(target)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return target


def _md5sums(root: Path) -> str:
    """For `dpkg --verify`."""
    paths = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    lines = []
    for path in paths:
        name = path.relative_to(root).as_posix()
        if not name.startswith("DEBIAN/"):
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'md5').hexdigest()}  {name}\n")
    return "".join(lines)
