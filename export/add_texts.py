"""`python -m export.add_texts BUNDLE --data FOLDER --pairs FILE ...`: tell a bundle of more texts that it learned from.

For texts that the captioner learned from and that the bundle was not told of: their word sequences join those by which
the product recognises copies, their sources join the manifest and the card. Models, numbers and the id stay.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import manifest
from engine.bundle import Bundle
from engine.errors import UserError
from engine.manifest import file_entry
from export import bundle_writer, model_card
from export.remeasure import made_by
from training import data, training_ngrams

USED_FOR = "captioner: wording only"


def add_texts(bundle: Path, manifests: Sequence[Path]) -> int:
    """Add the training rows of manifests; returns how many word sequences are new.

    Raises:
        UserError: no bundle, or a manifest that cannot be read.
    """
    Bundle.open(bundle)  # refuses damaged ones
    content = json.loads((bundle / manifest.FILE_NAME).read_text(encoding="utf-8"))
    rows = [row for path in manifests for row in data.read_manifest(path)[0] if row.split == "train"]
    fresh = training_ngrams.add(bundle / bundle_writer.NGRAMS, (row.text for row in rows))
    content["training_ngrams"] |= file_entry(bundle / bundle_writer.NGRAMS)
    content["data_provenance"] = [*content["data_provenance"], *sources(rows, content["data_provenance"])]
    card = bundle / bundle_writer.CARD
    commands = "\n    ".join(filter(None, (made_by(card), content.get("measured", {}).get("command", ""))))
    bundle_writer.write_manifest(bundle, content)
    card.write_text(model_card.card(content, commands), encoding="utf-8")
    return fresh


def sources(rows: Sequence[data.Pair], known: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Name, rows, use and licences of each source that is not among the known ones."""
    found: dict[str, list[data.Pair]] = {}
    for row in rows:
        found.setdefault(row.values.get("source", "") or "not stated", []).append(row)
    names = {source["name"] for source in known}
    return [
        {
            "name": name,
            "rows": len(own),
            "used_for": USED_FOR,
            "licences": sorted({row.values.get("licence", "") or "not stated" for row in own}),
        }
        for name, own in found.items()
        if name not in names
    ]


def main(argv: Sequence[str]) -> int:
    """Exit code 0, or 2 with one line on stderr when the user can do something about it."""
    parser = argparse.ArgumentParser(prog="python -m export.add_texts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the manifests")
    parser.add_argument("--pairs", nargs="+", required=True, help="CSV manifests, from the data folder")
    options = parser.parse_args(argv)
    try:
        fresh = add_texts(options.bundle, [options.data / name for name in options.pairs])
    except (OSError, KeyError, ValueError) as problem:
        sys.stderr.write(f"{options.bundle} is no bundle that texts can be added to: {problem}\n")
        return 2
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(f"{fresh:,} word sequences added\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
