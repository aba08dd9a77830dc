"""Installs a .deb in a clean Debian, tries it out, and removes it: `python -m installer.clean_install FILE.deb`.

The Debian is a folder with the smallest system and what the .deb depends on: no Python, no display. Everything runs in
a network namespace without interfaces. Needs root on Debian, whose `mmdebstrap` makes the folder.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desktop.display import NO_DISPLAY

PROGRAM = "mmdebstrap"
NOBODY = "65534:65534"
"""Kindred runs as a user who owns nothing, as which it can leave nothing behind but in /tmp."""
OF_DPKG = ("var/lib/dpkg/", "var/log/", "var/cache/ldconfig/", "etc/ld.so.cache", "proc/", "sys/", "dev/", "run/")
"""Where dpkg and the kernel keep their own records."""


class Failed(Exception):
    """Something is not as it must be; the message says what."""


def why_not() -> str:
    """Why this machine cannot do it; "" if it can. As root on Debian, the program that is missing is installed."""
    if not Path("/etc/debian_version").exists() or not hasattr(os, "geteuid"):
        return "A clean Debian can only be made on Debian."
    if os.geteuid() != 0:
        return "A clean Debian can only be made by root: start this with sudo."
    if shutil.which(PROGRAM) is None:
        _quietly("apt-get", "update", "-q")
        _quietly("apt-get", "install", "-y", "-q", "--no-install-recommends", PROGRAM)
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is missing and could not be installed: apt-get install {PROGRAM}"
    tried = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, text=True, check=False)
    return f"Namespaces are not allowed here: {tried.stderr.strip()}" if tried.returncode else ""


def names(depends: str) -> list[str]:
    """The packages of a field such as Depends; of alternatives the last one, which is that of the older Debian."""
    return [re.sub(r"\(.*?\)", "", one).split("|")[-1].strip() for one in depends.split(",")]


def field(package: Path, name: str) -> str:
    """One field of the control file of a .deb."""
    command = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def make_root(root: Path, packages: list[str]) -> None:
    """Make a folder with the smallest Debian of this machine's release, and some packages."""
    release = dict(re.findall(r'^(\w+)="?(.*?)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
    options = ["--variant=minbase", f"--include={','.join(packages)}", "--quiet"]
    subprocess.run([PROGRAM, *options, release["VERSION_CODENAME"], str(root)], check=True)


def inside(root: Path, *command: str, user: str = "0:0") -> subprocess.CompletedProcess[str]:
    """Run a command with a folder as its whole system, without a network, a display or variables of this process."""
    isolated = ["unshare", "--net", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc"]
    changed = ["chroot", f"--userspec={user}", str(root)]
    variables = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent", "LC_ALL=C.UTF-8"]
    return subprocess.run([*isolated, *changed, *variables, *command], capture_output=True, text=True, check=False)


def require(ended: subprocess.CompletedProcess[str], what: str, status: int = 0) -> str:
    """What a command printed.

    Raises:
        Failed: it ended with another status.
    """
    if ended.returncode != status:
        raise Failed(f"{what}: exit status {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def files_in(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every file, link and folder that is not a record of dpkg, with its mode, size and time of change."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if not f"{name}/".startswith(OF_DPKG):
            state = path.lstat()
            is_folder = path.is_dir() and not path.is_symlink()
            found[name] = (state.st_mode, 0 if is_folder else state.st_size, 0 if is_folder else state.st_mtime_ns)
    return found


def check(package: Path, root: Path) -> None:
    """Install, try out, remove.

    Raises:
        Failed: something is not as it must be.
    """
    before = files_in(root)
    name = field(package, "Package")
    shutil.copy(package, root / "run/package.deb")
    require(inside(root, "dpkg", "--install", "/run/package.deb"), "Installing")
    (root / "run/package.deb").unlink()
    if inside(root, "sh", "-c", "command -v python3 || command -v python").returncode == 0:
        raise Failed("There is a Python in the clean system; the self-test would prove nothing.")
    _say(require(inside(root, "kindred", "doctor", "--self-test", user=NOBODY), "The self-test"))
    shown = inside(root, "kindred", user=NOBODY)
    if shown.returncode != 2 or shown.stderr != f"{NO_DISPLAY}\n":
        raise Failed(f"Without a display Kindred did not say so in one sentence, but: {shown.stderr}")
    plugins = "/usr/lib/kindred/_internal/PySide6/Qt/plugins/platforms/libqxcb.so"
    linked = require(inside(root, "ldd", plugins), "Looking for the libraries of the window")
    if "not found" in linked:
        raise Failed(f"Libraries are missing that the package does not depend on:\n{linked}")
    require(inside(root, "dpkg", "--verify", name), "Verifying")
    require(inside(root, "dpkg", "--purge", name), "Removing")
    after = files_in(root)
    if changed := sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)):
        raise Failed(f"These are left or changed after the removal: {', '.join(changed[:20])}")


def main() -> int:
    """Do it with the package that is named; return the exit status."""
    if reason := why_not():
        _say(reason)
        return 2
    package = Path(sys.argv[1])
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kindred-clean-") as folder:
        root = Path(folder) / "root"
        make_root(root, names(field(package, "Depends")))
        made = time.monotonic()
        try:
            check(package, root)
        except Failed as problem:
            _say(str(problem))
            return 1
    _say(
        f"{package.name} was installed, tried out without a network and removed, and nothing is left "
        f"({time.monotonic() - made:.0f} s, and {made - started:.0f} s for the clean system)."
    )
    return 0


def _quietly(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def _say(text: str) -> None:
    sys.stderr.write(f"{text.rstrip()}\n")


if __name__ == "__main__":
    sys.exit(main())
