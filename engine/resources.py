"""Where shipped files lie, in a checkout, an installed wheel and a frozen app. Knows nothing of their content."""

import os
import sys
from pathlib import Path

import platformdirs

HOME = "KINDRED_HOME"


def resource_path(*parts: str) -> Path:
    """The path of a file below resources/; it is not checked to exist."""
    frozen: str | None = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    return root.joinpath("resources", *parts)


def user_folder() -> Path:
    """Where this user's own data lies: $KINDRED_HOME, else the platform's data folder."""
    return Path(os.environ.get(HOME) or platformdirs.user_data_path("kindred", appauthor=False))
