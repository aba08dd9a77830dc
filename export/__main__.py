"""`python -m export CHECKPOINT --captioner PT --out BUNDLE --data FOLDER`: from checkpoints to a checked bundle.

Every number of the manifest is measured here, with the very models that the bundle holds.
"""

import argparse
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from export import build
from export.baselines import named


def main(argv: Sequence[str]) -> int:
    """Exit code 0, or 2 with one line on stderr when the user can do something about it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    options = arguments().parse_args(argv)
    try:
        build.build(
            build.Request(
                checkpoint=options.checkpoint,
                captioner=options.captioner,
                out=options.out,
                data=options.data,
                pairs=tuple(options.pairs),
                variants=tuple(options.variants),
                baselines=dict(named(text) for text in options.baselines),
                name=options.name,
                most_bytes=round(options.max_mb * 1e6),
                small=options.small,
                draws=options.resamples,
                command="python -m export " + shlex.join(argv),
            )
        )
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m export", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("checkpoint", type=Path, help="best.pt of an encoders run")
    add("--captioner", type=Path, required=True, help="best.pt of a captioner run on those encoders")
    add("--out", type=Path, required=True, help="folder of the bundle; an earlier bundle there is replaced")
    add("--data", type=Path, default=Path("data"), help="folder that the manifests of the training are named from")
    add(
        "--pairs",
        type=Path,
        nargs="*",
        default=[],
        help="CSV manifests to calibrate and measure on, else the training's",
    )
    add("--variants", nargs="+", choices=("fp32", "int8", "fp16"), default=["int8"])
    add("--baselines", nargs="*", default=[], metavar="NAME=CHECKPOINT", help="models that the card compares with")
    add("--name", default="Kindred bundle")
    add("--max-mb", type=float, default=0.0, help="refuse a larger bundle (million bytes); 0 allows any size")
    add("--small", action="store_true", help="4 bits instead of 8 where they cost the int8 variant least")
    add("--resamples", type=int, default=1000, help="of the bootstrap behind the intervals")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
