"""The `kindred` command: runs the command line for a command name, else the desktop app."""

import difflib
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from engine.store.safety.trial import HELPER, serve

COMMANDS = frozenset(
    {
        "open",
        "import",
        "search",
        "draft",
        "reindex",
        "adapt",
        "delete",
        "duplicates",
        "redact",
        "report",
        "export-images",
        "audit",
        "copy",
        "work",
        "worker",
        "department",
        "backup",
        "restore",
        "salvage",
        "encrypt",
        "decrypt",
        "passphrase",
        "pacs",
        "doctor",
        "-h",
        "--help",
        "--version",
    }
)


WINDOW = "--check-window"
"""The verb of the process in which the self-test shows a window."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run either and return the exit code; only what is run is imported."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == [HELPER]:
        serve()
        return 0
    if arguments[:1] == [WINDOW]:
        from desktop import window_check

        return window_check.main(arguments[1:])
    if arguments and arguments[0] in COMMANDS:
        from engine.cli import main as command_line

        return command_line.main(arguments, window_command())
    if arguments and is_mistyped(arguments[0]):
        near = difflib.get_close_matches(arguments[0], [name for name in COMMANDS if not name.startswith("-")], n=1)
        help_text = f"did you mean: kindred {near[0]}?" if near else "kindred --help lists the commands."
        print(f"There is no such command or file: {arguments[0]}; {help_text}", file=sys.stderr)  # noqa: T201
        return 2
    return int(load_app().main(arguments))


def window_command() -> list[str]:
    """The command that shows a study and an archive, whose paths are added, in a window of its own process."""
    frozen = getattr(sys, "frozen", False)
    return [sys.executable, WINDOW] if frozen else [sys.executable, "-m", "desktop", WINDOW]


def is_mistyped(word: str) -> bool:
    """Whether a word is neither an option nor a file, and has nothing of a path that may be missing."""
    return word.replace("-", "").isalnum() and not word.startswith("-") and not Path(word).exists()


def load_app() -> ModuleType:
    """Import desktop.app, in a fifth less time than a plain `import`.

    Garbage collection is off meanwhile and skips the imported modules later. PySide reads the source of every module
    that is imported after it, so the engine and its libraries are imported first.
    """
    gc.disable()
    try:
        from engine.reports import workspace  # noqa: F401
        from desktop import app  # isort: skip

        return app
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    sys.exit(main())
