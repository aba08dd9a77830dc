"""Paths of shipped files and of the user's data. Does not know their content.

Works in a checkout, an installed wheel and a frozen app.
"""

import os
import sys
from pathlib import Path

import platformdirs

HOME = "KINDRED_HOME"


def resource_path(*parts: str) -> Path:
    """The path of a file below resources/, whether or not it exists."""
    frozen: str | None = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    return root.joinpath("resources", *parts)


def user_folder() -> Path:
    """The folder of the user's own data: $KINDRED_HOME, else the platform's data folder."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_path("kindred", appauthor=False))
