"""Reads JSON that others wrote. Knows no keys."""

import json
from pathlib import Path
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is not JSON, not UTF-8, or nested too deeply to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: Path) -> Any:
    """The value of a JSON file in UTF-8.

    Raises:
        OSError: the file cannot be read.
        ValueError: as `parse_json`.
    """
    return parse_json(path.read_text(encoding="utf-8"))
