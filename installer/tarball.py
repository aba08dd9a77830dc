"""Packs the app as a .tar.gz that runs from any folder of any Linux with the libraries that README.txt names."""

import gzip
import tarfile
from pathlib import Path

from installer.release import Release
from installer.system_libraries import needed
from installer.system_tree import TEMPLATES

README = """Kindred {version} ({edition} edition) for Linux, x86-64. Research software, not for diagnostic use.

Start it from any folder:   ./kindred
Check it:                   ./kindred doctor --self-test
Remove it:                  delete this folder. Reports, settings and archives of yours lie elsewhere and stay.

A desktop entry and an icon are in share/: copy kindred.desktop to ~/.local/share/applications and kindred.svg to
~/.local/share/icons/hicolor/scalable/apps, and write the path of ./kindred into Exec.

It needs glibc {glibc} or newer and these libraries of the system:
{libraries}
Licences of everything in here: LICENSE, licences/ and sbom.cdx.json. SHA-256 of each file of the app: SHA256SUMS.
"""


def build(folder: Path, work: Path, dist: Path, release: Release, fast: bool = False) -> Path:
    """Pack a frozen folder and return the path of the file; arguments as in `debian.build`."""
    libraries = needed(folder)
    lines = "".join(f"  {name}\n" for name in sorted(libraries.required))
    readme = README.format(
        version=release.version, edition=release.edition.upper(), glibc=libraries.glibc, libraries=lines
    )
    work.mkdir(parents=True, exist_ok=True)
    (work / "README.txt").write_text(readme, encoding="utf-8")
    added = {"README.txt": work / "README.txt"}
    added |= {f"share/{name}": TEMPLATES / name for name in ("kindred.desktop", "kindred.svg")}
    top = f"{release.package}-{release.version}"
    target = dist / f"{top}-linux-x86_64.tar.gz"

    def settled(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        member.mtime = release.seconds
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    with (
        target.open("wb") as file,
        gzip.GzipFile("", "wb", 1 if fast else 9, file, mtime=release.seconds) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        for name, path in {**{p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*"))}, **added}.items():
            tar.add(path, f"{top}/{name}", recursive=False, filter=settled)
    return target
