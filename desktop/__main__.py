"""The `kindred` command: runs the command line for a command name, else the desktop app."""

import gc
import sys
from collections.abc import Sequence
from types import ModuleType

COMMANDS = frozenset({"open", "import", "search", "draft", "reindex", "doctor", "-h", "--help", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run either and return the exit code; only what is run is imported."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        from engine.cli import main as command_line

        return command_line.main(arguments)
    return int(load_app().main(arguments))


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
