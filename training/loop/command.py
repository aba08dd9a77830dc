"""Command line arguments that the training commands share. Does not know what they train."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def arguments(command: str, purpose: str, argv: Sequence[str], markdown: bool = False) -> argparse.Namespace:
    """Parse config, data, out, cache (paths) and resume of `python -m training COMMAND ...`; optionally markdown."""
    parser = argparse.ArgumentParser(prog=f"python -m training {command}", description=purpose)
    parser.add_argument("--config", type=Path, required=True, help="a TOML file, see training/configs")
    parser.add_argument("--data", type=Path, default=Path("data"), help="data folder; manifests are relative to it")
    parser.add_argument(
        "--out", type=Path, help="folder of the run; default runs/NAME, NAME being that of the configuration"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/cache"), help="folder for cached feature maps and embeddings"
    )
    parser.add_argument("--resume", action="store_true", help="resume after the last finished epoch")
    if markdown:
        parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args(argv)
    options.out = options.out or Path("runs") / options.config.stem
    return options
