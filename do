#!/usr/bin/env python3
"""Sets Kindred up on a fresh machine and starts its jobs. Needs only Python's standard library.

./do run       set up, then open the app on the sample archive with a real study (headless: print and take a screenshot)
               (add --department for an archive on a PostgreSQL server, which is started for it)
./do test      set up, then run every test on all cores (name files or -k to run some)
./do setup     only set up, for `run` or the verb named (add --gpu for the CUDA build of onnxruntime)
./do lint      ruff, mypy, import-linter
./do train     python -m training ...    e.g.  ./do train encoders --config training/configs/atp_cu.toml
./do export    python -m export ...
./do bench     the benchmarks, printed as the table in docs/benchmarks.md
./do docs      the guides, as pages to read offline in build/guide
./do package   freeze the app and make its installers in dist/    (add --gpu for the edition with CUDA)
./do map       the tree with what each module is for    e.g.  ./do map engine/dicom
./do words     every string that a person can meet, to be read in one sitting
"""

import ctypes.util
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "kindred-installed.txt"

# What each verb installs, as extras of pyproject.toml.
EXTRAS = {
    "setup": ["demo", "keyring", "department"],
    "run": ["demo", "keyring", "department"],
    "test": ["demo", "train", "dev", "keyring", "department", "server"],
    "lint": ["demo", "train", "dev", "keyring", "department", "server"],
    "train": ["train"],
    "export": ["train"],
    "bench": ["bench", "train", "department", "server"],
    "package": ["dev", "keyring", "department"],
    "docs": ["dev"],
    "--department": ["server"],
}

# Verbs that need nothing but Python.
TOOLS = {"map": "tools.tree_map", "words": "tools.visible_strings"}

# Shared libraries that Qt and the image codecs load, and the Debian package of each (any one of the names will do).
SYSTEM_LIBRARIES = {
    "GL": "libgl1",
    "EGL": "libegl1",
    "xkbcommon": "libxkbcommon0",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "glib-2.0": "libglib2.0-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-image": "libxcb-image0",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-xkb": "libxcb-xkb1",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-shape": "libxcb-shape0",
    "xcb-randr": "libxcb-randr0",
    "xcb-xfixes": "libxcb-xfixes0",
    "X11-xcb": "libx11-xcb1",
}
# What tests of DICOM over the network start, and the Debian package of each.
TEST_PROGRAMS = {
    "Orthanc": "orthanc",
    "/usr/share/orthanc/plugins/libOrthancDicomWeb.so": "orthanc-dicomweb",
    "dcmqrscp": "dcmtk",
}
# A machine without any font shows empty boxes instead of text.
FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core")


def say(text: str) -> None:
    print(f"do: {text}", file=sys.stderr, flush=True)


def call(*command: object, **environment: str) -> None:
    """Run a command in the project; end with its exit status if it fails.

    Byte code is kept even where the machine says otherwise: packages are installed without it, so every process that a
    test starts would compile all that it imports anew.
    """
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    status = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment).returncode
    if status:
        sys.exit(status if status > 0 else 1)


def missing_system_packages() -> list[str]:
    missing = [package for name, package in SYSTEM_LIBRARIES.items() if not ctypes.util.find_library(name)]
    has_font = Path(FONTS[0]).exists() or any(Path("/usr/share/fonts").rglob("*.[to]tf"))
    return missing if has_font else [*missing, FONTS[1]]


def install_system_libraries() -> None:
    """Install what Qt needs on Debian and Ubuntu as root; otherwise say the one command that does."""
    release = Path("/etc/os-release")
    if not release.exists():
        return
    missing = missing_system_packages()
    if not missing:
        return
    if "debian" not in release.read_text():
        say(f"Qt needs libraries that Debian calls {' '.join(missing)}; install your system's packages of them.")
        return
    if os.geteuid() != 0:
        sys.exit(f"do: please type this once, then try again:\n  sudo apt-get install -y {' '.join(missing)}")
    say(f"installing system libraries: {' '.join(missing)}")
    if not apt_install(missing):
        sys.exit(f"do: apt-get could not install {' '.join(missing)}; read its message above.")


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages, and say whether that worked."""
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-q"], **quiet)  # a stale list is no reason to stop: the install decides
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    return subprocess.run(command, **quiet).returncode == 0


def install_test_programs() -> None:
    """Install the PACS that some tests start on the loopback, as root on Debian; without them those tests are skipped.

    The packages come with a service. It is neither started now (see invoke-rc.d(8)) nor by the next boot.
    """
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    found = {name: shutil.which(name, path=path) or Path(name).exists() for name in TEST_PROGRAMS}
    missing = [package for name, package in TEST_PROGRAMS.items() if not found[name]]
    if not missing:
        return
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"tests with a PACS will be skipped; on Debian they need: apt-get install {' '.join(missing)}")
        return
    say(f"installing what tests start: {' '.join(missing)}")
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        if not apt_install(missing):
            say("apt-get could not install them, so tests with a real PACS will be skipped; read its message above.")
        elif shutil.which("update-rc.d"):
            subprocess.run(["update-rc.d", "orthanc", "disable"], stdout=subprocess.DEVNULL)
    finally:
        if ours:
            policy.unlink()


def fingerprint(extras: list[str]) -> str:
    recipe = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(recipe).hexdigest() + " " + " ".join(sorted(extras))


def installed_extras() -> list[str]:
    """The extras already in .venv, or none when the recipe has changed since."""
    if not (STAMP.exists() and PYTHON.exists()):
        return []
    extras = STAMP.read_text().split()[1:]
    return extras if STAMP.read_text() == fingerprint(extras) else []


def install_beside_torch(pip: list[object], others: list[str]) -> None:
    """Install torch alone, and what needs no torch at the same time: the two largest downloads, and pip uses one core.

    Torch comes before whatever asks for it, and pinned: a range asked for by another package would pull several GB.
    Neither process installs a package that the other one does.
    """
    torch = subprocess.Popen([str(part) for part in (*pip, "--no-deps", "torch")], cwd=ROOT)
    try:
        call(*pip, "-e", f".[{','.join(others)}]")
    finally:
        failed = torch.wait()
    if failed:
        sys.exit("do: pip could not install torch; read its message above.")


def set_up(verbs: list[str], gpu: bool) -> None:
    """Make .venv and install the extras of `verbs` on top of those that are there."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this very script may be started by an older one
        sys.exit("do: Kindred needs Python 3.11 or 3.12; start this script with that one.")
    install_system_libraries()
    if "test" in verbs:
        install_test_programs()
    have = installed_extras()
    runtime = "gpu" if gpu or "gpu" in have else "cpu"
    asked = {extra for verb in verbs for extra in EXTRAS[verb]}
    want = sorted({runtime, *have, *asked} - ({"cpu"} if runtime == "gpu" else set()))
    if have and set(want) <= set(have):
        return
    if not PYTHON.exists():
        say("making .venv")
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode:
            sys.exit("do: Python could not make .venv; on Debian or Ubuntu install python3-venv, then try again.")
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-compile", "-q", "-c", "constraints.txt"]
    if runtime == "gpu":  # both builds own the same folder and the CPU one wins silently
        call(PYTHON, "-m", "pip", "uninstall", "-q", "-y", "onnxruntime")
    say(f"installing Kindred with {', '.join(want)}")
    if "train" in want and "train" not in have:
        install_beside_torch(pip, [extra for extra in want if extra != "train"])
    call(*pip, "-e", f".[{','.join(want)}]")
    STAMP.write_text(fingerprint(want))


def has_display() -> bool:
    windowing = os.name == "nt" or sys.platform == "darwin"
    return windowing or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run(arguments: list[str]) -> None:
    if "--department" in arguments:  # the same, with the sample archive on a PostgreSQL server of its own
        run_department([argument for argument in arguments if argument != "--department"])
        return
    if has_display():
        call(PYTHON, "-m", "desktop.demo", "--keep-open", *arguments)
        return
    say("there is no display, so the same job runs headless: studies, hits and draft follow, and a screenshot.")
    call(PYTHON, "-m", "desktop.demo", "--out", "build/screenshot.png", *arguments, QT_QPA_PLATFORM="offscreen")


def run_department(arguments: list[str]) -> None:
    """Start a PostgreSQL server with pgvector in build/, run the app on an archive in it, and stop it again."""
    command = [str(PYTHON), "-m", "tools.department_server", str(ROOT / "build" / "department")]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().strip()
        if not address:
            sys.exit("do: the server did not start; its log is in build/department.")
        say(f"the archive is at {address}")
        run(["--archive", address, *arguments])
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def test(arguments: list[str]) -> None:
    options = ["-n", "auto", "--dist", "loadfile", "--durations", "20"]
    call(PYTHON, "-m", "pytest", *options, *arguments, QT_QPA_PLATFORM="offscreen")


def lint(arguments: list[str]) -> None:
    call(BIN / "ruff", "check", ".", "do")
    call(BIN / "ruff", "format", "--check", ".", "do")
    call(BIN / "mypy")
    call(BIN / "lint-imports")


def bench(arguments: list[str]) -> None:
    for name in arguments or ["embed", "draft", "sample_archive"]:  # the others want data or minutes
        call(PYTHON, "-m", f"benchmarks.{name}")


def docs(arguments: list[str]) -> None:
    site = ROOT / "build" / "guide"
    shutil.rmtree(site, ignore_errors=True)
    quietly = ("-W", "--keep-going", "-q")  # a warning fails
    call(PYTHON, "-m", "sphinx", *quietly, "-d", site.with_name("doctrees"), "docs", site)
    say(f"the guides are in {(site / 'index.html').relative_to(ROOT)}")


def package(arguments: list[str]) -> None:
    docs([])
    call(PYTHON, "-m", "installer", *arguments)
    frozen = ROOT / "dist" / "kindred" / ("kindred.exe" if os.name == "nt" else "kindred")
    call(frozen, "doctor", QT_QPA_PLATFORM="offscreen")
    say(f"the app and its installers are in {frozen.parent.parent.relative_to(ROOT)}/")


def main() -> None:
    verb, *arguments = sys.argv[1:] or ["help"]
    if verb in TOOLS:
        sys.exit(subprocess.run([sys.executable, "-m", TOOLS[verb], *arguments], cwd=ROOT).returncode)
    if verb not in EXTRAS:
        print(__doc__)
        sys.exit(0 if verb in ("help", "-h", "--help") else 2)
    gpu = "--gpu" in arguments
    arguments = [argument for argument in arguments if argument != "--gpu"]
    named = arguments[0] if verb == "setup" and arguments and arguments[0] in EXTRAS else verb
    set_up([named, *(["--department"] if "--department" in arguments else [])], gpu)
    jobs = {"run": run, "test": test, "lint": lint, "bench": bench, "docs": docs, "package": package}
    if verb in jobs:
        jobs[verb](arguments)
    elif verb in ("train", "export"):
        call(PYTHON, "-m", {"train": "training", "export": "export"}[verb], *arguments)


if __name__ == "__main__":
    main()
