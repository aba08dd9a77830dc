"""Paths of shipped files and of the user's data. Does not know their content.

Works in a checkout, an installed wheel and a frozen app.
"""

import os
import sys
from pathlib import Path

import platformdirs

HOME = "KINDRED_HOME"
CHECKOUT = Path(__file__).resolve().parent.parent


def resource_path(*parts: str) -> Path:
    """The path of a file below resources/, whether or not it exists."""
    return (_frozen() or CHECKOUT).joinpath("resources", *parts)


def guide_page() -> Path:
    """The first page of the guides, whether or not they are built."""
    frozen = _frozen()
    return (frozen / "guide" if frozen else CHECKOUT / "build" / "guide") / "index.html"


def user_folder() -> Path:
    """The folder of the user's own data: $KINDRED_HOME, else the platform's data folder."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_path("kindred", appauthor=False))


def _frozen() -> Path | None:
    """Where a frozen app keeps its files."""
    frozen: str | None = getattr(sys, "_MEIPASS", None)
    return Path(frozen) if frozen else None
