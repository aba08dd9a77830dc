"""Messages without the names of files and folders, which are often called after patients. Pure functions."""

import re
from collections.abc import Iterable
from pathlib import PurePath

from engine.errors import UserError

SHORTEST = 3
"""Letters of a name that is worth hiding: "1" or "IM" names nobody, and stands in many a sentence."""
NAME_HIDDEN = "name hidden"
"""What stands where a name would, in lists."""


def redact_names(text: str, names: Iterable[str]) -> str:
    """`text` with "the file" for each name or path in it, whole paths before what they end in.

    A name is as `ImageRef.name` gives it: a path, and after " > " a member of that archive. What is called an archive
    already is not called a file as well.
    """
    every = {part for name in names if name for part in (name, *name.split(" > "))}
    every |= {PurePath(name).name for name in every}
    for name in sorted((name for name in every if len(name) >= SHORTEST), key=len, reverse=True):
        alone = rf"(?<![\w/\\]){re.escape(name)}(?!\w)"
        text = re.sub(alone, "the file", re.sub(f"archive {alone}", "archive", text))
    return text[:1].upper() + text[1:]


def redacted(error: BaseException | None, identity_visible: bool) -> str:
    """The sentence of a failure as it may be on screen; "" for none."""
    if error is None or identity_visible or not isinstance(error, UserError):
        return "" if error is None else str(error)
    return redact_names(str(error), (error.other,))
