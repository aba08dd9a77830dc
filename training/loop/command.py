"""The arguments that the training commands share. Knows nothing of what they train."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def arguments(command: str, purpose: str, argv: Sequence[str], markdown: bool = False) -> argparse.Namespace:
    """config, data, out, cache (paths) and resume of `python -m training COMMAND ...`; markdown (path) where asked."""
    parser = argparse.ArgumentParser(prog=f"python -m training {command}", description=purpose)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file, see training/configs")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder that the manifests are named from")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME of the configuration")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder of kept maps and embeddings")
    parser.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    if markdown:
        parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args(argv)
    options.out = options.out or Path("runs") / options.config.stem
    return options
