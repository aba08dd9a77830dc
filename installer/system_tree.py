"""Lays the app out as Linux packages install it: its folder, a command, a desktop entry, an icon and a MIME type."""

import os
import shutil
from pathlib import Path

from installer.release import Release

TEMPLATES = Path(__file__).with_name("templates")
HOME = Path("usr/lib/kindred")
SHARED = {
    "kindred.desktop": "usr/share/applications/kindred.desktop",
    "kindred.svg": "usr/share/icons/hicolor/scalable/apps/kindred.svg",
    "kindred-mime.xml": "usr/share/mime/packages/kindred.xml",
}


def lay_out(folder: Path, root: Path, release: Release) -> None:
    """Make the tree of an installed system below `root`, which is made anew.

    Args:
        folder: the frozen app.
        root: stands for / of that system.
        release: its time becomes that of every file and folder.
    """
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(folder, root / HOME, symlinks=True)
    for template, target in SHARED.items():
        (root / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TEMPLATES / template, root / target)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/kindred").symlink_to("../lib/kindred/kindred")
    documents = root / "usr/share/doc" / release.package
    documents.mkdir(parents=True)
    (documents / "copyright").symlink_to("../../../lib/kindred/LICENSE")
    settle(root, release)


def settle(root: Path, release: Release) -> None:
    """Give every file and folder the time of the release, and the permissions of installed files."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
        os.utime(path, (release.seconds, release.seconds), follow_symlinks=False)
