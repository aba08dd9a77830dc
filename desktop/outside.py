"""Opens files in other programs of this computer: PDFs and the guides. Does not know what they contain."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from engine.errors import UserError
from engine.resources import guide_page

LIBRARIES = "LD_LIBRARY_PATH"
"""Where a frozen app finds its libraries. A browser that inherits it loads those instead of its own, and may fail."""
BEFORE = f"{LIBRARIES}_ORIG"
"""What it was before the app started, if it was set (PyInstaller, "Run-time information")."""


def open_file(path: Path) -> bool:
    """Open a file in the program that this computer has for it; False if it has none."""
    with libraries_of_the_system():
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def guide() -> Path:
    """The first page of the guides.

    Raises:
        UserError: they are not built.
    """
    page = guide_page()
    if not page.is_file():
        raise UserError("The guides are not built yet; run ./do docs in the folder of Kindred, then try again.")
    return page


@contextmanager
def libraries_of_the_system() -> Iterator[None]:
    """Let programs that are started meanwhile load their own libraries; changes nothing unless the app is frozen."""
    own = os.environ.get(LIBRARIES)
    if own is None or not hasattr(sys, "_MEIPASS"):
        yield
        return
    del os.environ[LIBRARIES]
    if BEFORE in os.environ:
        os.environ[LIBRARIES] = os.environ[BEFORE]
    try:
        yield
    finally:
        os.environ[LIBRARIES] = own
