"""Messages without the names of files and folders, which are often called after patients. Pure functions."""

from collections.abc import Iterable
from pathlib import PurePath

NAME_HIDDEN = "name hidden"
"""What stands where a name would, in lists."""


def without_names(text: str, names: Iterable[str]) -> str:
    """`text` with "the file" for each name or path in it, whole paths before what they end in.

    A name is as `ImageRef.name` gives it: a path, and after " > " a member of that archive. What is called an archive
    already is not called a file as well.
    """
    every = {part for name in names if name for part in (name, *name.split(" > "))}
    every |= {PurePath(name).name for name in every}
    for name in sorted(every - {""}, key=len, reverse=True):
        text = text.replace(f"archive {name}", "archive").replace(name, "the file")
    return text[:1].upper() + text[1:]
