"""Which libraries of the system the frozen app needs, and what Debian calls the packages that have them."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DEBIAN = {
    "libc.so.6": "libc6",
    "libm.so.6": "libc6",
    "libdl.so.2": "libc6",
    "librt.so.1": "libc6",
    "libpthread.so.0": "libc6",
    "libutil.so.1": "libc6",
    "libresolv.so.2": "libc6",
    "ld-linux-x86-64.so.2": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
    "liblzma.so.5": "liblzma5",
    "libffi.so.8": "libffi8",
    "libexpat.so.1": "libexpat1",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libOpenGL.so.0": "libopengl0",
    "libGLX.so.0": "libglx0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0t64 | libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0t64 | libglib2.0-0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinput.so.0": "libxcb-xinput0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libcups.so.2": "libcups2t64 | libcups2",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
OPTIONAL = ("printsupport", "wayland", "WaylandClient", "WlShell", "providers_cuda", "providers_tensorrt", "/nvidia/")
"""Parts of paths of files that the app runs without: printers, Wayland where X11 is there as well, GPUs."""
OF_DRIVER = ("libcuda.so.1", "libnvinfer", "libnvonnxparser")
"""Names that begin like this belong to NVIDIA's driver or to TensorRT, which no package of Debian has."""


@dataclass(frozen=True, slots=True)
class Needed:
    """What the files of a folder need of the system."""

    required: frozenset[str]
    """Names of shared libraries."""
    optional: frozenset[str]
    glibc: str
    """The lowest version of the C library, as in "2.35"."""


def needed(folder: Path) -> Needed:
    """Read the headers of every shared library and program of a folder with `objdump`.

    Raises:
        LookupError: a library is needed that `DEBIAN` does not know.
    """
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and _is_elf(path)]
    carried = {path.name for path in folder.rglob("*.so*")}
    required: set[str] = set()
    optional: set[str] = set()
    versions: set[tuple[int, ...]] = set()
    for path in paths:
        header = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=True).stdout
        named = set(re.findall(r"^\s+NEEDED\s+(\S+)$", header, re.MULTILINE)) - carried
        libraries = {name for name in named if not name.startswith(OF_DRIVER)}
        may_miss = any(part in path.as_posix() for part in OPTIONAL)
        (optional if may_miss else required).update(libraries)
        versions.update(tuple(map(int, one.split("."))) for one in re.findall(r"\bGLIBC_(\d+(?:\.\d+)+)", header))
    unknown = (required | optional) - DEBIAN.keys()
    if unknown:
        raise LookupError(f"No Debian package is known for {', '.join(sorted(unknown))}; add it to {__file__}.")
    return Needed(frozenset(required), frozenset(optional - required), ".".join(map(str, max(versions))))


def debian_packages(libraries: Iterable[str]) -> list[str]:
    """The Debian packages of shared libraries."""
    return sorted({DEBIAN[name] for name in libraries})


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"
