"""Marks a folder as what was salvaged of a damaged archive, which is read but not changed. Knows no tables."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

MARKER = "salvaged.json"
"""Beside the database; without it the folder is an archive like any other."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What a marker says."""

    of: str
    """The folder of the damaged archive."""
    cases: int
    """Cases that could be read."""
    lost: int
    """Rows that could not be read or are not as they were written."""
    state: str
    """Of the files of the damaged archive: it changes when they do."""


def mark(folder: Path, salvaged: Salvaged) -> None:
    """Mark a folder. Raises OSError."""
    write_whole(folder / MARKER, [json.dumps(asdict(salvaged)).encode()])


def salvaged(folder: Path) -> Salvaged | None:
    """What the marker of a folder says; None without one."""
    try:
        content = read_json(folder / MARKER)
        return Salvaged(str(content["of"]), int(content["cases"]), int(content["lost"]), str(content["state"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
