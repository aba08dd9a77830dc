"""Remembers, for this account, the last row of each audit that was opened. Knows no audit.

An audit whose remembered row is gone was replaced by an earlier copy, which its own chain cannot tell.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from engine.resources import user_folder
from engine.store.safety.json_file import read_json
from engine.store.safety.whole_file import write_whole

FILE = "audit-heads.json"
MOST = 200


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain."""

    last: int
    """Its id."""
    hash: str
    at: str = ""
    """When it was remembered; UTC, ISO 8601."""


def remembered(where: str) -> Head | None:
    """The last row of the audit of this database; None for one that was never opened."""
    row = _read().get(where)
    return Head(*row) if row is not None else None


def remember(where: str, head: Head) -> None:
    """Remember it, if the user's folder can be written."""
    known = _read()
    known.pop(where, None)
    at = datetime.now(UTC).isoformat(timespec="minutes")
    _write({**dict(list(known.items())[1 - MOST :]), where: (head.last, head.hash, at)})


def forget(where: str) -> None:
    """Forget it, as after a restore, which goes back on purpose."""
    known = _read()
    if known.pop(where, None) is not None:
        _write(known)


def _write(known: dict[str, tuple[int, str, str]]) -> None:
    path = user_folder() / FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, [json.dumps(known).encode()])
    except OSError:
        return


def _read() -> dict[str, tuple[int, str, str]]:
    try:
        content = read_json(user_folder() / FILE)
        return {str(name): (int(last), str(value), str(at)) for name, (last, value, at) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def name_of(database: Path) -> str:
    """Under which name the audit of a database is remembered."""
    return str(database.resolve())
