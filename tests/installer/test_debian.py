"""The .deb names what the app needs, installs it with a desktop entry, and is the same for the same source."""

import shutil
import subprocess
from pathlib import Path

import pytest

from installer import debian
from installer.manifest import write_manifest
from installer.release import Release
from installer.system_libraries import needed

RELEASE = Release("1.2.3", "cpu", "abc", 1_700_000_000)
pytestmark = pytest.mark.skipif(not (shutil.which("dpkg-deb") and shutil.which("objdump")), reason="needs Debian")


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A folder as PyInstaller makes it, with a real program of this system."""
    folder = tmp_path / "kindred"
    (folder / "_internal").mkdir(parents=True)
    shutil.copy("/bin/true", folder / "kindred")
    (folder / "LICENSE").write_text("Apache-2.0")
    write_manifest(folder, RELEASE)
    return folder


def build(frozen: Path, tmp_path: Path) -> Path:
    (tmp_path / "dist").mkdir(exist_ok=True)
    return debian.build(frozen, tmp_path / "work", tmp_path / "dist", RELEASE, fast=True)


def test_it_names_version_and_needed_packages(frozen: Path, tmp_path: Path) -> None:
    package = build(frozen, tmp_path)
    assert package.name == "kindred_1.2.3_amd64.deb"
    command = ["dpkg-deb", "--field", str(package), "Package", "Version", "Depends", "Conflicts"]
    fields = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Package: kindred\nVersion: 1.2.3\n" in fields
    assert f"libc6 (>= {needed(frozen).glibc})" in fields
    assert "Conflicts: kindred-gpu" in fields


def test_it_installs_command_desktop_entry_icon_and_mime_type_and_no_script(frozen: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    package = build(frozen, tmp_path)
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(root)], check=True)
    assert (root / "usr/bin/kindred").resolve() == root / "usr/lib/kindred/kindred"
    assert "MimeType=application/dicom;" in (root / "usr/share/applications/kindred.desktop").read_text()
    assert "*.dcm" in (root / "usr/share/mime/packages/kindred.xml").read_text()
    assert (root / "usr/share/icons/hicolor/scalable/apps/kindred.svg").exists()
    assert {path.name for path in (root / "DEBIAN").iterdir()} == {"control", "md5sums"}


def test_the_same_source_gives_the_same_package(frozen: Path, tmp_path: Path) -> None:
    first = build(frozen, tmp_path).read_bytes()
    assert build(frozen, tmp_path).read_bytes() == first


def test_a_library_that_no_package_is_known_for_stops_the_build(
    frozen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(debian.needed.__globals__["DEBIAN"], "libc.so.6")
    with pytest.raises(LookupError, match=r"libc\.so\.6"):
        build(frozen, tmp_path)
