"""What all commands share: types of arguments, --json and how a result is printed. Knows no command."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from engine.cli.output import printable

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path)
bundle_option = click.option("--bundle", type=FOLDER, help="Folder of the models. Default: the starter bundle.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")


def print_result(document: dict[str, Any], lines: Sequence[str], as_json: bool) -> None:
    """Print a result as one JSON document, else as lines."""
    text = json.dumps(printable(document), ensure_ascii=False, indent=2) if as_json else printable("\n".join(lines))
    click.echo(text)
