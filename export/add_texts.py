"""Adds training texts to a finished bundle: `python -m export.add_texts BUNDLE --data FOLDER --pairs FILE ...`.

For texts that the captioner was trained on and that the export did not know: their word sequences are added to those of
the copy guard, their sources to the manifest and the card. Models, numbers and id are unchanged; a failure leaves the
bundle as it was.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from engine.bundle import Bundle
from engine.models.manifest import file_entry
from export import additions, bundle_writer
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
        bundle_writer.rewrite_card(folder, content)
    return fresh


def main(argv: Sequence[str]) -> int:
    """Run the command; exit code 0, or 2 with one line on stderr after a user error."""

    def add(bundle: Path, manifests: list[Path]) -> str:
        return f"{add_texts(bundle, manifests):,} word sequences added\n"

    return additions.run(argv, "export.add_texts", (__doc__ or "").splitlines()[0], "Texts", add)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
