"""`python -m export.remeasure BUNDLE --data FOLDER`: measure a finished bundle anew; its graphs stay as they are.

For when what is measured has changed and the models have not: calibration, metrics and evidence of the manifest and the
card are written again, from the very models that the bundle holds. Archives keep their vectors, since the id stays.
"""

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.bundle import Bundle
from engine.errors import UserError
from engine.models import manifest
from export import build, bundle_writer, model_card
from export.baselines import named
from training.data.pairs import read_pairs


def remeasure(bundle: Path, request: build.Request, manifests: tuple[Path, ...], stream: bool = False) -> None:
    """Write what `build.measure` finds into the manifest and the card of a bundle, into both or into none.

    Raises:
        UserError: no bundle, or no data to measure on.
    """
    Bundle.open(bundle)  # refuses damaged ones
    with bundle_writer.changed(bundle) as (folder, content):
        pairs = read_pairs(manifests, stream)
        content |= build.measure(folder, request, [path.name for path in manifests], pairs)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        content["measured"] = {"created": now, "git_commit": bundle_writer.git_commit(), "command": request.command}
        made = bundle_writer.made_by(folder / bundle_writer.CARD)
        card = model_card.card(content, f"{made}\n    {request.command}" if made else request.command)
        (folder / bundle_writer.CARD).write_text(card, encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Exit code 0, or 2 with one line on stderr when the user can do something about it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m export.remeasure", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("bundle", type=Path)
    add("--data", type=Path, default=Path("data"), help="folder of the manifests")
    add("--pairs", nargs="+", default=["pairs/pairs.csv"], help="CSV manifests, from the data folder")
    add("--baselines", nargs="*", default=[], metavar="NAME=CHECKPOINT")
    add("--stream", action="store_true", help="decode pictures when they are needed: they do not fit into memory")
    add("--resamples", type=int, default=1000)
    options = parser.parse_args(argv)
    try:
        name = str(json.loads((options.bundle / manifest.FILE_NAME).read_text(encoding="utf-8"))["name"])
        request = build.Request(
            checkpoint=Path(),
            captioner=Path(),
            out=options.bundle,
            data=options.data,
            baselines=dict(named(text) for text in options.baselines),
            name=name,
            draws=options.resamples,
            command="python -m export.remeasure " + shlex.join(argv),
        )
        remeasure(options.bundle, request, tuple(options.data / pairs for pairs in options.pairs), options.stream)
    except (OSError, KeyError, ValueError) as problem:
        sys.stderr.write(f"{options.bundle} is no bundle that can be measured: {problem}\n")
        return 2
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
