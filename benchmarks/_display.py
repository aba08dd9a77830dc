"""Gives a benchmark of the real window a display. Does not know what is measured."""

import os
import shutil
import sys

SCREEN = "-screen 0 1600x1000x24"


def require_display(module: str) -> None:
    """Run `python -m module` again under Xvfb, with the same arguments, if there is no display."""
    if os.environ.get("DISPLAY"):
        return
    if not shutil.which("xvfb-run"):
        sys.exit("No display found: install xvfb, or run this in a desktop session.")
    again = ["xvfb-run", "-a", "-s", SCREEN, sys.executable, "-m", module, *sys.argv[1:]]
    os.execvp(again[0], again)
