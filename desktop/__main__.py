"""The `kindred` command: a command name goes to the engine's command line, anything else to the desktop app."""

import sys
from collections.abc import Sequence

COMMANDS = frozenset({"open", "import", "search", "draft", "reembed", "doctor", "-h", "--help", "--version"})


def main(argv: Sequence[str] | None = None) -> int:
    """Run one or the other and return the exit code; each is imported only when it is wanted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in COMMANDS:
        from engine import cli

        return cli.main(arguments)
    from desktop import app

    return app.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
