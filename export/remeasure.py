"""Measures a finished bundle again; its graphs are unchanged: `python -m export.remeasure BUNDLE --data FOLDER`.

For when the measurements have changed and the models have not: score scale and metrics are written
to the manifest and the card. Archives keep their vectors, since the id of the bundle stays.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.bundle import Bundle
from engine.models import manifest
from export import additions, build, bundle_writer
from export.baselines import named
from training.data.pairs import read_pairs


def remeasure(bundle: Path, request: build.BuildRequest, manifests: tuple[Path, ...], stream: bool = False) -> None:
    """Write the results of `build.measure` to manifest and card of a bundle, both or neither.

    Raises:
        UserError: not a bundle, or no data to measure on.
    """
    Bundle.open(bundle)  # refuses damaged ones
    with bundle_writer.changed(bundle) as (folder, content):
        pairs = read_pairs(manifests, stream)
        content |= build.measure(folder, request, [path.name for path in manifests], pairs)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        content["measured"] = {"created": now, "git_commit": bundle_writer.git_commit(), "command": request.command}
        bundle_writer.rewrite_card(folder, content)


def main(argv: Sequence[str]) -> int:
    """Run the command; exit code 0, or 2 with one line on stderr after a user error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    parser = argparse.ArgumentParser(prog="python -m export.remeasure", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("bundle", type=Path)
    add("--data", type=Path, default=Path("data"), help="folder of the manifests")
    add("--pairs", nargs="+", default=["pairs/pairs.csv"], help="CSV manifests, relative to the data folder")
    add("--baselines", nargs="*", default=[], metavar="NAME=CHECKPOINT")
    add("--stream", action="store_true", help="decode images on demand instead of keeping them in memory")
    add("--resamples", type=int, default=1000)
    options = parser.parse_args(argv)

    def measure() -> str:
        name = str(json.loads((options.bundle / manifest.FILE_NAME).read_text(encoding="utf-8"))["name"])
        request = build.BuildRequest(
            checkpoint=Path(),
            captioner=Path(),
            out=options.bundle,
            data=options.data,
            baselines=dict(named(text) for text in options.baselines),
            name=name,
            draws=options.resamples,
            command=bundle_writer.told_command("export.remeasure", argv),
        )
        remeasure(options.bundle, request, tuple(options.data / pairs for pairs in options.pairs), options.stream)
        return ""

    return additions.printed(measure, f"{options.bundle} cannot be measured")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
