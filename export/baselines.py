"""Parses the baselines named on a command line. Knows no metrics."""

from pathlib import Path

from engine.errors import UserError


def named(text: str) -> tuple[str, Path]:
    """Split NAME=CHECKPOINT.

    Raises:
        UserError: there is no "=".
    """
    name, _, path = text.partition("=")
    if not path:
        raise UserError(f"{text!r} is not a baseline; write NAME=CHECKPOINT.")
    return name, Path(path)
