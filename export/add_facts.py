"""Fits the fact classifiers of a finished bundle: `python -m export.add_facts BUNDLE --data FOLDER --pairs FILE ...`.

For a bundle built before there were any, or with other pairs. Models and id are unchanged, so archives keep their
vectors; a failure leaves the bundle as it was.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.bundle import Bundle
from export import additions, bundle_writer, model_card
from training.arrays import Float32Array
from training.data.pairs import Pairs, read_pairs
from training.metrics import fact_heads

log = logging.getLogger(__name__)
CHUNK = 16


def add_facts(bundle: Path, manifests: Sequence[Path]) -> dict[str, Any]:
    """Fit on the train rows, measure on the val rows, and return the entry `fact_heads` of the manifest.

    Raises:
        UserError: not a bundle, a manifest that cannot be read, or too few labelled images.
    """
    models = Bundle.open(bundle)
    pairs = read_pairs(manifests, stream=True)
    training, held_out = pairs.split("train"), pairs.split("val")
    train, val = features(models, training), features(models, held_out)
    with bundle_writer.changed(bundle) as (folder, content):
        content["fact_heads"] = fact_heads.write(folder, train, training.rows, val, held_out.rows)
        bundle_writer.rewrite_card(folder, content)
        made: dict[str, Any] = content["fact_heads"]
    return made


def features(models: Bundle, pairs: Pairs) -> Float32Array:
    """Features of all images, float32 [N, F], a few in memory at a time."""
    parts = []
    for first in range(0, len(pairs.images), CHUNK):
        parts.append(
            models.image_features([pairs.images[i] for i in range(first, min(first + CHUNK, len(pairs.images)))])
        )
        if first % (CHUNK * 50) == 0:
            log.info("%d of %d images", first, len(pairs.images))
    return np.concatenate(parts)


def main(argv: Sequence[str]) -> int:
    """Run the command; exit code 0, or 2 with one line on stderr after a user error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")

    def add(bundle: Path, manifests: list[Path]) -> str:
        shares = {
            kind: (found["accuracy"], found["coverage"]) for kind, found in add_facts(bundle, manifests)["val"].items()
        }
        percent = model_card.percent
        return "".join(
            f"{kind}: {percent(right)} right of {percent(said)} said\n" for kind, (right, said) in shares.items()
        )

    return additions.run(argv, "export.add_facts", (__doc__ or "").splitlines()[0], "Facts", add)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
