"""Leaves in highdicom's table of attributes what it needs for the documents that Kindred may write: 23 MB become 1."""

import json
from collections.abc import Iterable
from pathlib import Path

WRITTEN = (
    *("basic-text-sr", "enhanced-sr", "comprehensive-sr", "comprehensive-3d-sr", "key-object-selection-document"),
    *("segmentation", "grayscale-softcopy-presentation-state"),
)
"""Kinds of documents (IODs of PS3.3), some of which are not written yet."""
ATTRIBUTES, MODULES = "module_attribute_map.json", "iod_module_map.json"


def keep_modules(folder: Path, kinds: Iterable[str]) -> None:
    """Remove the modules that no document of these kinds has. highdicom raises KeyError for a kind that was left out.

    Args:
        folder: the folder `_standard` of highdicom.
        kinds: names of IODs.
    """
    modules = json.loads((folder / MODULES).read_text(encoding="utf-8"))
    wanted = {module["key"] for kind in kinds for module in modules[kind]}
    attributes = json.loads((folder / ATTRIBUTES).read_text(encoding="utf-8"))
    kept = {name: attributes[name] for name in sorted(wanted)}
    (folder / ATTRIBUTES).write_text(json.dumps(kept, separators=(",", ":")), encoding="utf-8")
