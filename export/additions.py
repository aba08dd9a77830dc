"""The command line of the modules that change a finished bundle. Does not know what they change."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import UserError


def run(argv: Sequence[str], module: str, purpose: str, what: str, add: Callable[[Path, list[Path]], str]) -> int:
    """Run one of these commands; exit code 0, or 2 with one line on stderr after a user error.

    Args:
        module: its name, for the help text.
        purpose: what it does, for the help text.
        what: what it adds, for the error message, for example "Texts".
        add: given the bundle and the manifests; returns what to print.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=purpose)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of the manifests")
    parser.add_argument("--pairs", nargs="+", required=True, help="CSV manifests, relative to the data folder")
    options = parser.parse_args(argv)
    manifests = [options.data / name for name in options.pairs]
    return printed(lambda: add(options.bundle, manifests), f"{what} cannot be added to {options.bundle}")


def printed(change: Callable[[], str], failed: str) -> int:
    """Print what a change of a bundle returns; exit code 0, or 2 with one line on stderr after a user error.

    Args:
        failed: how the line begins if the folder is no bundle.
    """
    try:
        found = change()
    except (OSError, KeyError, ValueError) as problem:
        sys.stderr.write(f"{failed}; give the folder of a bundle. ({problem})\n")
        return 2
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    sys.stdout.write(found)
    return 0
