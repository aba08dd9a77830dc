"""Adds training texts to a finished bundle: `python -m export.add_texts BUNDLE --data FOLDER --pairs FILE ...`.

For texts that the captioner was trained on and that the export did not know: their word sequences are added to those of
the copy guard, their sources to the manifest and the card. Models, numbers and id are unchanged; a failure leaves the
bundle as it was.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.bundle import Bundle
from engine.errors import UserError
from engine.models.manifest import file_entry
from export import bundle_writer, model_card
from export.build import provenance
from training.data import pairs, training_ngrams

USED_FOR = "captioner: wording only"


def add_texts(bundle: Path, manifests: Sequence[Path]) -> int:
    """Add the training rows of manifests; return the number of new word sequences.

    Raises:
        UserError: not a bundle, or a manifest that cannot be read.
    """
    Bundle.open(bundle)  # refuses damaged ones
    rows = [row for path in manifests for row in pairs.read_manifest(path)[0] if row.split == "train"]
    with bundle_writer.changed(bundle) as (folder, content):
        fresh = training_ngrams.add(folder / bundle_writer.NGRAMS, (row.text for row in rows))
        content["training_ngrams"] |= file_entry(folder / bundle_writer.NGRAMS)
        known = {source["name"] for source in content["data_provenance"]}
        new = [source for source in provenance(rows, lambda row: USED_FOR) if source["name"] not in known]
        content["data_provenance"] += new
        card = folder / bundle_writer.CARD
        commands = (bundle_writer.made_by(card), content.get("measured", {}).get("command", ""))
        card.write_text(model_card.card(content, "\n    ".join(filter(None, commands))), encoding="utf-8")
    return fresh


def main(argv: Sequence[str]) -> int:
    """Run the command; exit code 0, or 2 with one line on stderr after a user error."""
    parser = argparse.ArgumentParser(prog="python -m export.add_texts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the manifests")
    parser.add_argument("--pairs", nargs="+", required=True, help="CSV manifests, relative to the data folder")
    options = parser.parse_args(argv)
    try:
        fresh = add_texts(options.bundle, [options.data / name for name in options.pairs])
    except (OSError, KeyError, ValueError) as problem:
        sys.stderr.write(f"Texts cannot be added to {options.bundle}; give the folder of a bundle. ({problem})\n")
        return 2
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(f"{fresh:,} word sequences added\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
