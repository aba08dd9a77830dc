"""Where shipped files lie, in a checkout, an installed wheel and a frozen app. Knows nothing of their content."""

import sys
from pathlib import Path


def resource_path(*parts: str) -> Path:
    """The path of a file below resources/; it is not checked to exist."""
    frozen: str | None = getattr(sys, "_MEIPASS", None)
    root = Path(frozen) if frozen else Path(__file__).resolve().parent.parent
    return root.joinpath("resources", *parts)
