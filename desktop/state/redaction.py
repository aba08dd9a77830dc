"""Redacts file and folder names from messages, because they often contain patient names. Pure functions."""

import re
from collections.abc import Iterable
from pathlib import PurePath

from engine.errors import UserError

MIN_LENGTH = 3
"""Characters of a name that is redacted: "1" or "IM" identifies nobody, and occurs in ordinary sentences."""
NAME_HIDDEN = "name hidden"
"""Shown in lists instead of a name."""


def redact_names(text: str, names: Iterable[str]) -> str:
    """`text` with each name or path replaced by "the file", longest first.

    A name is formatted like `ImageRef.name`: a path, optionally followed by " > " and a member of that archive. The
    words "archive NAME" become "archive".
    """
    every = {part for name in names if name for part in (name, *name.split(" > "))}
    every |= {PurePath(name).name for name in every}
    for name in sorted((name for name in every if len(name) >= MIN_LENGTH), key=len, reverse=True):
        alone = rf"(?<![\w/\\]){re.escape(name)}(?!\w)"
        text = re.sub(alone, "the file", re.sub(f"archive {alone}", "archive", text))
    return text[:1].upper() + text[1:]


def redacted(error: BaseException | None, patient_data_visible: bool) -> str:
    """The message of an error as it may be shown; "" for no error."""
    if error is None or patient_data_visible or not isinstance(error, UserError):
        return "" if error is None else str(error)
    return redact_names(str(error), (error.other,))
