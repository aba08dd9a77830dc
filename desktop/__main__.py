"""The `kindred` command: a command name goes to the engine's command line, anything else to the desktop app."""

import gc
import sys
from collections.abc import Sequence
from types import ModuleType

COMMANDS = frozenset({"open", "import", "search", "draft", "reindex", "doctor", "-h", "--help", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one or the other and return the exit code; each is imported only when it is wanted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        from engine.cli import main as command_line

        return command_line.main(arguments)
    return int(load_app().main(arguments))


def load_app() -> ModuleType:
    """desktop.app, in a fifth less time than `import` takes.

    What is imported is no garbage and is never looked through for any. PySide reads the source of every module that is
    imported after it, so the engine goes first, with the libraries that it needs.
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
