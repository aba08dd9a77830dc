"""Every format packs the same folder, and `kindred doctor --new` reads its version and compares its checksums."""

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import new_installer
from engine.cli.installation import Installation
from engine.cli.new_installer import examine_installer, read_installer
from engine.errors import UserError
from installer import debian, redhat, tarball, windows
from installer.manifest import write_checksums, write_manifest
from installer.release import ROOT, Release

RELEASE = Release("1.2.3", "cpu", "abc", 1_700_000_000)
pytestmark = pytest.mark.skipif(not (shutil.which("dpkg-deb") and shutil.which("objdump")), reason="needs Debian")
FORMATS = {
    "deb": (debian.build, "dpkg-deb"),
    "tar": (tarball.build, "objdump"),
    "rpm": (redhat.build, "rpmbuild"),
    "exe": (windows.build, "makensis"),
}
Pack = Callable[[str], Path]


@pytest.fixture
def frozen(tmp_path: Path) -> Path:
    """A folder as PyInstaller makes it, with a real program of this system in the place of both programs."""
    folder = tmp_path / "kindred"
    (folder / "_internal").mkdir(parents=True)
    for name in ("kindred", "kindred.exe"):
        shutil.copy("/bin/true", folder / name)
    (folder / "_internal" / "data").write_text("x" * 5000)
    (folder / "LICENSE").write_text("Apache-2.0")
    write_manifest(folder, RELEASE)
    return folder


@pytest.fixture
def pack(frozen: Path, tmp_path: Path) -> Pack:
    """Packs in a format, if its program is here."""

    def make(name: str) -> Path:
        build, program = FORMATS[name]
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        for folder in ("work", "dist"):
            (tmp_path / folder).mkdir(exist_ok=True)
        return build(frozen, tmp_path / "work", tmp_path / "dist", RELEASE, fast=True)

    return make


def texts(path: Path) -> dict[str, str]:
    return {check.name: f"{check.mark}: {check.text}" for check in examine_installer(path)}


@pytest.mark.parametrize("name", FORMATS)
def test_its_version_is_compared_with_the_running_one(name: str, pack: Pack) -> None:
    path = pack(name)
    said = texts(path)
    assert said["version"].startswith(f"ok: {path.name} is Kindred 1.2.3 (CPU edition), newer than the running ")
    assert said["install"].startswith("note: Kindred never updates itself")
    assert said["checksum"].startswith("note: There is no SHA256SUMS beside it")


@pytest.mark.parametrize("name", ["deb", "tar", "rpm"])
def test_the_same_folder_gives_the_same_file(name: str, pack: Pack) -> None:
    first = pack(name).read_bytes()
    assert pack(name).read_bytes() == first


@pytest.mark.parametrize("name", ["deb", "tar"])
def test_its_files_are_compared_with_its_list_and_with_the_installed_ones(
    name: str, pack: Pack, frozen: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pack(name)
    assert texts(path)["contents"] == "ok: All 5 files in it are as it lists them."
    installed = tmp_path / "installed"
    shutil.copytree(frozen, installed)
    (installed / "_internal" / "data").write_text("older")
    (installed / "_internal" / "old").write_text("old")
    (installed / "LICENSE").unlink()
    (installed / "SHA256SUMS").unlink()
    write_manifest(installed, RELEASE)
    monkeypatch.setattr(new_installer, "installation", lambda: Installation(installed))
    assert texts(path)["contents"].endswith("Beside the installed ones 1 differ, 1 are new and 1 are gone.")


def test_a_checksum_beside_it_is_compared(pack: Pack) -> None:
    path = pack("tar")
    write_checksums(path.with_name("SHA256SUMS"), [path])
    assert texts(path)["checksum"].startswith("ok: Its SHA-256 is as ")
    path.with_name("SHA256SUMS").write_text(f"{'0' * 64}  {path.name}\n")
    assert texts(path)["checksum"].startswith("PROBLEM: ")


def test_a_file_in_it_that_is_not_as_listed_is_named(frozen: Path, pack: Pack) -> None:
    (frozen / "_internal" / "data").write_text("changed after the list was made")
    assert texts(pack("tar"))["contents"] == "PROBLEM: 1 file in it changed or missing (_internal/data)."


@pytest.mark.parametrize("name", ["kindred.deb", "kindred.tar.gz", "kindred.rpm", "kindred.exe", "kindred.zip"])
def test_what_is_no_installer_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"this is a letter" * 100)
    with pytest.raises(UserError, match="no installer of Kindred"):
        read_installer(tmp_path / name)
    with pytest.raises(UserError, match="does not exist"):
        examine_installer(tmp_path / "missing.deb")


def test_a_download_that_was_damaged_anywhere_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "kindred-1.2.3-linux-x86_64.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("installer/sbom.py", "installer/licences/GPL-3.0.txt"):
            tar.add(ROOT / name, f"kindred-1.2.3/{name}")
    good = path.read_bytes()
    for at in range(20, len(good) - 8, 97):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        with pytest.raises(UserError, match="is damaged or no installer of Kindred; download it again"):
            read_installer(path)


def test_a_deb_without_the_app_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root/DEBIAN").mkdir(parents=True)
    control = "Package: other\nVersion: 1\nArchitecture: all\nMaintainer: x <x@localhost>\nDescription: other\n"
    (tmp_path / "root/DEBIAN/control").write_text(control)
    command = ["dpkg-deb", "-Zgzip", "--build", str(tmp_path / "root"), str(tmp_path / "other.deb")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with pytest.raises(UserError, match="no installer of Kindred"):
        read_installer(tmp_path / "other.deb")


def test_the_tar_file_runs_from_any_folder_and_says_what_it_needs(pack: Pack, tmp_path: Path) -> None:
    with tarfile.open(pack("tar")) as tar:
        tar.extractall(tmp_path / "anywhere", filter="data")
    home = tmp_path / "anywhere" / "kindred-1.2.3"
    assert subprocess.run([str(home / "kindred")], check=False).returncode == 0
    assert "libc.so.6" in (home / "README.txt").read_text()
    assert Installation(home).changed_files() == []


def test_the_rpm_requires_libraries_and_owns_only_its_own_folders(pack: Pack) -> None:
    path = pack("rpm")

    def asked(what: str) -> list[str]:
        command = ["rpm", "--dbpath", str(path.parent / "db"), "-qp", what, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert any(line.startswith("libc.so.6(GLIBC_2.") for line in asked("--requires"))
    listed = asked("--list")
    assert {"/usr/bin/kindred", "/usr/lib/kindred", "/usr/share/applications/kindred.desktop"} <= set(listed)
    assert not {"/usr", "/usr/bin", "/usr/lib", "/usr/share"} & set(listed)
    assert asked("--scripts") == []


def test_a_windows_installer_is_not_made_of_a_linux_folder(frozen: Path, tmp_path: Path) -> None:
    (frozen / "kindred.exe").unlink()
    with pytest.raises(FileNotFoundError, match="freeze the app on Windows"):
        windows.build(frozen, tmp_path, tmp_path, RELEASE)
