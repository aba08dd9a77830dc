"""Which modules and files of the libraries an installer holds. Reads the names of files, not the files."""

from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path, PurePath

HIDDEN_MODULES = (
    *(
        f"imagecodecs.{codec}"
        for codec in ("imagecodecs", "_imcd", "_jpeg2k", "_jpeg8", "_jpegls", "_shared", "_shared_cython")
    ),
    *("psycopg_binary", "psycopg_binary.pq", "psycopg_binary._psycopg"),
)
"""Imported by name at run time, which PyInstaller cannot see."""

EXCLUDED_MODULES = (
    *("torch", "transformers", "training", "export", "matplotlib", "sklearn", "scipy", "onnx", "onnxscript", "pandas"),
    *("tkinter", "pytest", "setuptools", "pkg_resources", "yaml", "IPython", "fhir", "hl7"),
    *("lxml.objectify", "lxml.sax", "lxml.isoschematron", "lxml.html.diff", "lxml.html._difflib", "numpy.f2py"),
    *("pydoc_data", "doctest", "xmlrpc", "unittest", "lib2to3", "distutils", "idlelib"),
    *("bs4", "soupsieve", "pynetdicom.tests", "pynetdicom.apps"),
    *("readline", "_curses", "curses"),  # readline is GPL; both serve terminals that the app does not open
    *("PIL._avif", "PIL.AvifImagePlugin", "PIL.ImageTk", "PIL._imagingtk"),
    *("PySide6.QtNetwork", "PySide6.QtDBus", "PySide6.QtOpenGL"),
)

QT_PLUGINS = (
    *("platforms/*qxcb*", "platforms/*qwayland*", "platforms/*qoffscreen*", "platforms/*qwindows*"),
    *("xcbglintegrations/*", "wayland-shell-integration/*xdg-shell*", "wayland-decoration-client/*"),
    *("wayland-graphics-integration-client/*wayland-egl*", "platforminputcontexts/*", "platformthemes/*portal*"),
    *("imageformats/*qjpeg*", "imageformats/*qsvg*", "imageformats/*qico*", "iconengines/*", "printsupport/*"),
    *("styles/*",),
)
"""Plugins that the app needs. The others serve embedded devices, remote screens, networks and GTK."""

SAMPLES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "RG1_UNCR.dcm",
    "693_UNCR.dcm",
    *("emri_small.dcm", "MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm"),
    "SC_rgb_jpeg_dcmtk.dcm",
)
"""Real studies of pydicom and pydicom-data: for the first steps, and for the self-test."""

UNWANTED = (
    "lxml/isoschematron/*",
    "*/direct_url.json",  # names a folder of the build machine
    "*.dist-info/RECORD",
    "PySide6/Qt/translations/*",  # the app is in English
    "PySide6/translations/*",
    *("libQt6Egl*", "PySide6/Qt/lib/libQt6Egl*", "libQt6Network*", "PySide6/Qt/lib/libQt6Network*"),
    *("PIL/_avif*", "*libavif*"),
)

CARRIED = ("libsqlite3.so*", "libcrypto.so*", "libssl.so*", "libbz2.so*", "libuuid.so*", "libpython3*")
"""Libraries of the build machine's system that are carried along: those whose version the app depends on, and which no
system library uses as well. Every other one comes from the system that Kindred is installed on, since two versions of
one library in a process do not mix."""

UNUSED_CUDA = ("libcufftw", "libnvblas")
"""Interfaces of FFTW and BLAS, which nobody calls."""

SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")


def nvidia_libraries(folders: Iterable[str]) -> list[tuple[str, str]]:
    """CUDA and cuDNN for the GPU edition: name in the folder of the app, and path; none in the CPU edition.

    They lie where `onnxruntime.preload_dlls` looks for them: beside the package onnxruntime.
    """
    found = (path for folder in folders for path in sorted(Path(folder).glob("nvidia/*/lib/*.so*")))
    return [
        (path.relative_to(path.parents[3]).as_posix(), str(path))
        for path in found
        if not path.name.startswith(UNUSED_CUDA)
    ]


def unwanted(name: str, source: str) -> bool:
    """Whether a file that PyInstaller would collect stays out.

    Args:
        name: path in the folder of the app.
        source: path on the build machine.
    """
    path = PurePath(name).as_posix()
    if "/plugins/" in path and path.startswith("PySide6/"):
        return not any(fnmatch(path, f"*/plugins/{pattern}") for pattern in QT_PLUGINS)
    if any(fnmatch(path, pattern) for pattern in UNWANTED):
        return True
    from_system = PurePath(source).as_posix().startswith(SYSTEM_FOLDERS) and ".so" in PurePath(source).name
    return from_system and not any(fnmatch(PurePath(name).name, pattern) for pattern in CARRIED)
