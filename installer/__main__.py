"""Makes the installers: `./do package [--gpu] [--only deb rpm tar] [--fast]`. Its environment decides the edition."""

import argparse
import shutil
import sys
from pathlib import Path

from installer import debian, redhat, tarball, windows
from installer.components import components
from installer.freeze import freeze, origins
from installer.manifest import write_checksums, write_manifest
from installer.release import ROOT, current
from installer.sbom import require_allowed, write_licences, write_sbom

LINUX = {
    "deb": (debian.build, "dpkg-deb", "dpkg"),
    "rpm": (redhat.build, "rpmbuild", "rpm"),
    "tar": (tarball.build, "objdump", "binutils"),
}
WINDOWS = {"exe": (windows.build, "makensis", "nsis")}
FORMATS = WINDOWS if sys.platform == "win32" else LINUX
"""How each is packed, with the program that does it and the Debian package of that. PyInstaller freezes for the system
that it runs on only, so an installer for Windows is made on Windows."""


def main() -> int:
    """Freeze the app and pack it; return the exit status."""
    options = argparse.ArgumentParser(prog="./do package", description=__doc__)
    options.add_argument("--only", nargs="+", choices=FORMATS, default=list(FORMATS), help="formats; default: all")
    options.add_argument("--fast", action="store_true", help="compress little, for a package that is only tried")
    options.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the results")
    chosen = options.parse_args()
    release, work = current(), ROOT / "build" / "installer"
    folder = freeze(release, work, chosen.dist)
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    parts = components(origins(work), release)
    require_allowed(parts)
    write_sbom(parts, folder, release)
    write_licences(parts, folder, release)
    write_manifest(folder, release)
    made = []
    for name in chosen.only:
        build, program, package = FORMATS[name]
        if shutil.which(program) is None:
            _say(f"No .{name}: {program} is missing; on Debian or Ubuntu install {package}.")
            continue
        made.append(build(folder, work, chosen.dist, release, chosen.fast))
        _say(f"{made[-1].name}: {made[-1].stat().st_size / 1e6:.0f} MB")
    write_checksums(chosen.dist / "SHA256SUMS", made)
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"package: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
