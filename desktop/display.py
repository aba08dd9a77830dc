"""Says in one sentence why no window can be shown, where Qt would abort the process. Knows no window."""

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QLibraryInfo

NO_DISPLAY = (
    "There is no display to show a window on; start Kindred in a desktop session, or use its commands: kindred --help"
)
UNREACHABLE = "The display {} cannot be reached; log in to the desktop of that display, or correct DISPLAY."
MISSING = "Qt cannot show a window ({}); install the library that it names, on Debian or Ubuntu with apt-get."


def why_no_window(environment: Mapping[str, str] = os.environ) -> str:
    """Why Qt would abort instead of showing a window; "" if it would not, as far as is known beforehand.

    Args:
        environment: variables of the process; one that names a platform of Qt is trusted.
    """
    if sys.platform != "linux" or environment.get("QT_QPA_PLATFORM"):
        return ""
    if environment.get("WAYLAND_DISPLAY"):
        return ""
    name = environment.get("DISPLAY", "")
    if not name:
        return NO_DISPLAY
    return _why_not_loaded() or ("" if _reachable(name) else UNREACHABLE.format(name))


def _why_not_loaded() -> str:
    """Load Qt's plugin for X11, which names the library that is missing."""
    plugin = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms" / "libqxcb.so"
    if not plugin.exists():
        return ""
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        return MISSING.format(error)
    return ""


def _reachable(name: str) -> bool:
    """Whether an X server answers under that name (xcb_connect(3)); true if that cannot be asked."""
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(name.encode(), None)
    failed = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not failed
