"""Writes an adapted bundle: the files of its parent with new heads and a new manifest, atomically. Trains nothing."""

import copy
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.adapt.measures import Embedded
from engine.bundle import Bundle
from engine.models import heads, manifest
from engine.models.bundle_folder import new_folder
from engine.models.heads import Heads
from engine.models.manifest import Manifest, file_entry
from engine.store.score_scale import spread

CARD = "MODEL_CARD.md"
OF_THE_PARENT = ("metrics", "baselines", "evaluation", "measured", "audit")
"""Figures of the manifest that were measured in the parent's space."""
NOTE = (
    "The projections of both towers were trained further, offline, on the image-report pairs of one archive, and "
    "measured on held-out patients of that archive. All figures above this section are those of the bundle before. "
    "Other hospitals were not measured; kinds of images unlike those of the archive may fare worse than before."
)


def write(parent: Bundle, out: Path, adapted: Heads, changes: Manifest, table: str) -> None:
    """Write the bundle `out`, a folder that replaces an older bundle there.

    Args:
        parent: the bundle that was adapted; it stays as it is.
        adapted: the new heads, written with 8 bits.
        changes: entries of the manifest that are new.
        table: before and after, for the card.

    Raises:
        UserError: `out` exists and is not a bundle.
    """
    with new_folder(out) as fresh:
        for path in sorted(parent.folder.iterdir()):
            if path.is_file() and path.name not in (manifest.FILE_NAME, heads.FILE, CARD):
                _link(path, fresh / path.name)
        adapted.write(fresh / heads.FILE)
        content = {key: value for key, value in parent.manifest.items() if key not in OF_THE_PARENT}
        content = copy.deepcopy(content) | changes
        content |= {
            "name": f"{parent.manifest['name'].removesuffix(', adapted')}, adapted",
            "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "heads": file_entry(fresh / heads.FILE),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        (fresh / manifest.FILE_NAME).write_text(text + "\n", encoding="utf-8")
        card = parent.folder / CARD
        before = card.read_text(encoding="utf-8").partition("\n## Adapted\n")[0] if card.is_file() else ""
        (fresh / CARD).write_text(f"{before}\n## Adapted\n\n{NOTE}\n\n{table}\n", encoding="utf-8")


def constants(parent: Bundle, own: Embedded) -> Manifest:
    """Score scale of the new space, from held-out pairs with the new heads, and what drafts start from."""
    people = own.persons
    first = np.unique(own.text_of, return_index=True)[1]
    scale = dict(parent.score_scale)
    kinds = {"image": (own.images, people), "report": (own.texts, people[first])}
    for pair in manifest.PAIR_KINDS:
        (one, of_one), (other, of_other) = (kinds[kind] for kind in pair.split("-"))
        unrelated = of_one[:, None] != of_other[None, :]
        found = spread((one @ other.T)[np.triu(unrelated) if one is other else unrelated])
        if found is not None:
            scale[pair] = {"mean": found.mean, "std": found.std}
    draft = {key: value for key, value in (parent.manifest.get("draft") or {}).items() if key != "confidence"}
    return {
        "calibration": scale,
        "draft": {**draft, "captioner": False},  # it was trained in the old space
    }


def provenance(parent: Bundle, pairs: int) -> list[dict[str, Any]]:
    """The training data of the parent, and the archive."""
    own = {"name": "own archive", "rows": pairs, "used_for": "image and text towers (adapted)"}
    return [*parent.manifest.get("data_provenance", []), {**own, "licences": ["the site's own"]}]


def _link(source: Path, target: Path) -> None:
    """The same file under another name, which takes no room; a copy where the disk cannot do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
