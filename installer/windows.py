"""Makes the Windows installer with `makensis`. The payload is a folder that PyInstaller has frozen on Windows."""

import subprocess
from pathlib import Path

from installer.release import ROOT, Release
from installer.system_tree import TEMPLATES

SCRIPT = TEMPLATES / "kindred.nsi"


def build(folder: Path, work: Path, dist: Path, release: Release, fast: bool = False) -> Path:
    """Pack a frozen folder and return the path of the installer; arguments as in `debian.build`.

    Raises:
        FileNotFoundError: the folder has no kindred.exe, since PyInstaller freezes for the system that it runs on only.
    """
    if not (folder / "kindred.exe").exists():
        raise FileNotFoundError(f"{folder} has no kindred.exe: freeze the app on Windows (python do package).")
    target = dist / f"{release.package}-{release.version}-setup.exe"
    numbers = ".".join([*release.version.split("."), "0", "0", "0"][:4])
    names = {
        "PAYLOAD": folder.resolve(),
        "OUTPUT": target.resolve(),
        "PACKAGE": release.package,
        "VERSION": release.version,
        "NUMBERS": numbers,
        "LICENSE": ROOT / "LICENSE",
        "ICON": TEMPLATES / "kindred.ico",
        "COMPRESSOR": "zlib" if fast else "lzma",
        "KILOBYTES": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1024,
    }
    defined = [f"-D{name}={value}" for name, value in names.items()]
    subprocess.run(["makensis", "-V2", "-INPUTCHARSET", "UTF8", *defined, str(SCRIPT)], cwd=work, check=True)
    return target
