"""`python -m training encoders|captioner|evaluate|grid|text ...`: runs the module of the command."""

import importlib
import logging
import sys
from collections.abc import Sequence

from engine.errors import UserError

COMMANDS = {
    "encoders": "training.commands.train_encoders",
    "captioner": "training.commands.train_captioner",
    "captions": "training.commands.caption_matrix",
    "confidence": "training.commands.caption_confidence",
    "examples": "training.commands.caption_examples",
    "evaluate": "training.commands.evaluate",
    "grid": "training.commands.grid",
    "pack": "training.commands.pack",
    "pairs": "training.commands.make_pairs",
    "results": "training.commands.results",
    "text": "training.commands.train_text",
}


def main(argv: Sequence[str]) -> int:
    """Run a command; exit code 0, or 2 with one line on stderr for a UserError."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        if not argv or argv[0] not in COMMANDS:
            raise UserError(f"Usage: python -m training {'|'.join(COMMANDS)} ...")
        return int(importlib.import_module(COMMANDS[argv[0]]).main(argv[1:]) or 0)
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
