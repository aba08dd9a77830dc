"""Fits the fact classifiers of a finished bundle: `python -m export.add_facts BUNDLE --data FOLDER --pairs FILE ...`.

For a bundle built before there were any, or with other pairs. Models and id are unchanged, so archives keep their
vectors; a failure leaves the bundle as it was.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.bundle import Bundle
from engine.errors import UserError
from export import bundle_writer, model_card
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
        card = folder / bundle_writer.CARD
        commands = (bundle_writer.made_by(card), content.get("measured", {}).get("command", ""))
        card.write_text(model_card.card(content, "\n    ".join(filter(None, commands))), encoding="utf-8")
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
    parser = argparse.ArgumentParser(prog="python -m export.add_facts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the manifests")
    parser.add_argument("--pairs", nargs="+", required=True, help="CSV manifests, relative to the data folder")
    options = parser.parse_args(argv)
    try:
        made = add_facts(options.bundle, [options.data / name for name in options.pairs])
    except (OSError, KeyError, ValueError) as problem:
        sys.stderr.write(f"Facts cannot be added to {options.bundle}; give the folder of a bundle. ({problem})\n")
        return 2
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    for kind, found in made["val"].items():
        shares = f"{model_card.percent(found['accuracy'])} right of {model_card.percent(found['coverage'])} said"
        sys.stdout.write(f"{kind}: {shares}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
