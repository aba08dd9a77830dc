"""What all commands share: types of arguments, --json and how a result is printed. Knows no command."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from engine.cli.output import printable
from engine.errors import UserError
from engine.store.address import is_address, parse_address

ONLY_FOLDER = (
    "This needs a folder or file on this computer, not the address of a server, which its administrator backs up, "
    "restores and encrypts; the guide to one archive for a department says how."
)


class _NamedPath(click.Path):
    """A path that is not "", which would be the current folder: a variable of a script that was never set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("The name of a file or folder is empty.", param, ctx)
        if is_address(value):  # would become the name of a folder
            raise UserError(ONLY_FOLDER)
        return super().convert(value, param, ctx)


class _Place(_NamedPath):
    """A folder, or the address of an archive on a server."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return parse_address(value) if is_address(value) else super().convert(value, param, ctx)


FOLDER = _NamedPath(path_type=Path, file_okay=False)
FILE = _NamedPath(path_type=Path)
ARCHIVE = _Place(path_type=Path, file_okay=False)
ARCHIVE_HELP = "The archive: a folder, or the address of one on a server (postgresql://...)."
bundle_option = click.option("--bundle", type=FOLDER, help="Folder of the models. Default: the starter bundle.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")


def print_result(document: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print a result as one JSON document, else as lines."""
    text = json.dumps(printable(document), ensure_ascii=False, indent=2) if as_json else printable("\n".join(lines))
    click.echo(text)
