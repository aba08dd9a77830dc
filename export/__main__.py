"""Exports checkpoints as a bundle: `python -m export CHECKPOINT --captioner PT --out BUNDLE --data FOLDER`.

Every number of the manifest is measured with the models that the bundle holds.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.errors import UserError
from export import build, bundle_writer
from export.baselines import named


def main(argv: Sequence[str]) -> int:
    """Run the command; exit code 0, or 2 with one line on stderr after a user error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    options = arguments().parse_args(argv)
    try:
        build.build(
            build.BuildRequest(
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
                head_bits=options.head_bits,
                draws=options.resamples,
                command=bundle_writer.told_command("export", argv),
            )
        )
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


def arguments() -> argparse.ArgumentParser:
    """The options of the command."""
    parser = argparse.ArgumentParser(prog="python -m export", description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("checkpoint", type=Path, help="best.pt of an encoders run")
    add("--captioner", type=Path, required=True, help="best.pt of a captioner run on these encoders")
    add("--out", type=Path, required=True, help="bundle folder; an existing bundle is replaced")
    add("--data", type=Path, default=Path("data"), help="folder that the training manifests are relative to")
    add(
        "--pairs",
        type=Path,
        nargs="*",
        default=[],
        help="CSV manifests to measure on; default: those of the training",
    )
    add("--variants", nargs="+", choices=("fp32", "int8", "fp16"), default=["int8"])
    add("--baselines", nargs="*", default=[], metavar="NAME=CHECKPOINT", help="models to compare with in the card")
    add("--name", default="Kindred bundle")
    add("--max-mb", type=float, default=0.0, help="maximum size of the bundle in million bytes; 0: any size")
    add("--small", action="store_true", help="4-bit weights where they cost the int8 variant least")
    add(
        "--head-bits", type=int, choices=range(4, 9), default=8, help="of the projections beside int8 graphs; default 8"
    )
    add("--resamples", type=int, default=1000, help="bootstrap resamples for the intervals")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
