"""Baseline models that are named on a command line. Knows no metrics."""

from pathlib import Path

from engine.errors import UserError


def named(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not path:
        raise UserError(f"A baseline is written NAME=CHECKPOINT, and {text!r} is not.")
    return name, Path(path)
