"""Writes the reference pages of docs/reference from the code: `python -m tools.reference`.

The app's commands, `kindred`'s commands, the settings, and the formats that are read and written. What a page says of a
command or a setting stands beside it in the code; this module knows only what has no place there.
"""

import ast
import json
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from inspect import cleandoc
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from desktop.actions import COMMANDS
from desktop.app import parser
from desktop.commands.command import Command
from desktop.commands.sentences import SENTENCES
from desktop.commands.synonyms import SYNONYMS
from desktop.state import settings
from desktop.views.settings.rows import PAGES, Choice, Number, Row, Switch
from engine.cli.main import cli
from engine.image.picture import IMAGE_SUFFIXES
from engine.importing.csv_files import MATCH_COLUMNS
from engine.reports.export.formats import FORMATS

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- Written by `python -m tools.reference`; change the code instead. -->\n"
ROWS = {
    "Theme": "Colors of the app.",
    "Viewports (rows × columns)": "How the viewer is divided.",
    "Sort studies by": "The order of the study list.",
    "Similar cases": "How the hits of a search are shown.",
    "Backups": "The folder that backups are kept in, and a backup at once.",
    "Models": "The bundle in use, and another one.",
    "Macros": "What a word and Tab expand to.",
    "Templates": "Your own templates, and those that ship.",
}
"""What the rows of the settings dialog that have no hint of their own mean."""
ENVIRONMENT = {
    "KINDRED_PASSPHRASE_FILE": "File with the passphrase of an encrypted archive or workspace, in place of a prompt.",
    "KINDRED_HOME": "Folder of the user's own data, in place of the platform's data folder.",
    "ORT_DISABLE_TELEMETRY": "Kindred itself sets it to 1 before it loads ONNX Runtime, which then sends nothing.",
    "RAY_USAGE_STATS_ENABLED": "Set to 0 before a Ray cluster is used or started, which then reports to nobody.",
    "SSL_CERT_FILE": "File of the authorities that are trusted (PEM), in place of that of the system.",
    "LD_LIBRARY_PATH": "The packed app gives the browser that it starts the value from before its own start.",
}
"""Environment variables that Kindred reads or sets."""

APP_COMMANDS = """\
# Commands of the app

Every command is in the command palette (Ctrl+K), which finds it by its name and by the *other words* below; a menu
shows its first key. All keys can be changed (*Edit*, *Customize keyboard shortcuts…*). Keys marked with ▣ work while an
image has the keyboard, so that lists and texts keep theirs.
"""
COMMAND_LINE = """\
# Command line

`kindred` alone, or with files and folders, starts the app; with the name of a command it does that and ends. Exit
codes: 0 success (also when part of an import was rejected), 2 an error that you can fix, told in one line on stderr,
1 a bug, with a traceback. With `--json` stdout is one JSON document and nothing else.

## The app
"""
SETTINGS = """\
# Settings

*Edit*, *Settings…* (Ctrl+,). A change applies at once, *Cancel* brings back what was set, and typing finds a setting.
"""
SETTINGS_FILE = """\
## The file

`settings.json` in the data folder, which only its owner can read. A missing or invalid value has its default. Nothing
in it is data of a study, but paths that were opened may contain names.
"""
WRITTEN = """\
*Report*, *Export report…*, and `kindred report export --format`. Each file names the patient, can be read by its owner
only, and says that it is a research draft.
"""
WRITTEN_IMAGES = """\
PDF, with or without the key images, is written by the app alone.

## Written: images

The image on screen as PNG (*File*, *Export image…*); the images of a study without identifiers as DICOM with a
DICOMDIR, in a folder or a ZIP file (*File*, *Export anonymised study…*, `kindred export-images`; [what is
removed](../conformance.md)).

## Written: results

Every command prints JSON with `--json`.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join(line.replace("|  |", "| |") for line in lines) + "\n"


def key(text: str) -> str:
    """A key as the pages show it."""
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def app_commands() -> str:
    """The page of the commands of the app, by menu."""
    parts = [MADE, APP_COMMANDS]
    for menu, commands in groupby(COMMANDS, lambda one: one.menu):
        parts += [f"## {menu}\n", table(("command", "keys", "what it does", "other words"), map(_app_row, commands))]
    return "\n".join(parts)


def _app_row(command: Command) -> tuple[str, ...]:
    name = f"{command.submenu}: {command.text}" if command.submenu else command.text
    keys = ", ".join(map(key, command.shortcuts)) + (" ▣" if command.in_viewport and command.shortcuts else "")
    return name, keys, SENTENCES[command.name], SYNONYMS.get(command.name, "")


def command_line() -> str:
    """The page of the command line, with the options of the app and the environment."""
    environment = table(("variable", "meaning"), ((key(name), text) for name, text in ENVIRONMENT.items()))
    parts = [MADE, COMMAND_LINE, _app_options(parser()), "## Environment\n", environment]
    for name, command in _leaves(cli):
        parts += [f"## kindred {name}\n", *_command(name, command)]
    return "\n".join(parts)


def _leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _leaves(command, f"{before}{name} ")
        else:
            yield before + name, command


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"kindred {name}")
    yield f"    {context.command_path} {' '.join(command.collect_usage_pieces(context))}\n"
    yield cleandoc(str(command.help)) + "\n"
    if command.epilog:
        yield str(command.epilog).replace("Example: ", "Example: `") + "`\n"
    options = [one for one in command.params if isinstance(one, click.Option)]
    yield table(("option", "meaning"), (_option(one, context) for one in options))


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    named, meaning = option.get_help_record(context) or ("", "")
    named = named.replace("INTEGER RANGE", "N").replace("INTEGER", "N").replace("|", "\\|")
    return key(named), re.sub(r"; x<=\d+|; 0<=x<=\d+", "", " ".join(meaning.split()))


def _app_options(options: ArgumentParser) -> str:
    rows = []
    for action in options._actions:
        name = ", ".join(action.option_strings) or str(action.metavar)
        value = f" {action.metavar}" if action.option_strings and action.metavar else ""
        rows.append((key(name + value), str(action.help)))
    return table(("option", "meaning"), rows)


def settings_page() -> str:
    """The page of the settings dialog and of the file behind it."""
    parts = [MADE, SETTINGS]
    for page in PAGES:
        parts += [f"## {page.title}\n", table(("setting", "values", "meaning"), map(_setting, page.rows))]
        parts += [page.note + "\n"] if page.note else []
    return "\n".join((*parts, SETTINGS_FILE, table(("key", "default", "meaning"), _fields())))


def _setting(row: Row) -> tuple[str, str, str]:
    if isinstance(row, Switch):
        text = next(command.text for command in COMMANDS if command.name == row.command)
        return text, "on, off", SENTENCES[row.command]
    values = ""
    if isinstance(row, Choice):
        values = "; ".join(text for _, text in row.options)
    if isinstance(row, Number):
        values = f"{row.limits[0]} to {row.limits[1]}{row.unit}"
    return row.label, values, " ".join(filter(None, (ROWS.get(row.label, ""), row.hint)))


def _fields() -> Iterator[tuple[str, str, str]]:
    about = field_docs(Path(settings.__file__), "Settings")
    default: Any = settings.Settings()
    for one in fields(settings.Settings):
        value = getattr(default, one.name)
        yield key(one.name), key(json.dumps(value)), re.sub(r" \(state/[^)]*\)", "", about[one.name])


def field_docs(path: Path, name: str) -> dict[str, str]:
    """The texts under the fields of a class, by field; "" where there is none."""
    found = (one for one in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(one, ast.ClassDef))
    body = next(one for one in found if one.name == name).body
    docs: dict[str, str] = {}
    for one, following in zip(body, [*body[1:], None]):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            constant = following.value if isinstance(following, ast.Expr) else None
            text = constant.value if isinstance(constant, ast.Constant) else ""
            docs[one.target.id] = " ".join(str(text).split())
    return docs


def formats_page() -> str:
    """The page of the file formats."""
    suffixes = ", ".join(key(one) for one in IMAGE_SUFFIXES)
    columns = ", ".join(key(one) for one in MATCH_COLUMNS)
    matched = f"a column `text`; matched by {columns}, or `patient_id` with `study_date`"
    opened = "opened, searched by, imported"
    read = (
        ("DICOM (PS3.10)", "any name, with or without preamble", opened, "[conformance](../conformance.md)"),
        ("ZIP, gzip", "any name", "as the DICOM files in it", "a DICOMDIR is not needed"),
        ("PNG, JPEG", suffixes, "searched by, drafted from, imported; not opened", "up to 80 million pixels"),
        ("image folder", "`cases.csv`, `captions.csv`", "imported", "[administrator guide](../guide/administrator.md)"),
        ("CSV of reports", "`.csv`", "imported", matched),
        ("DICOM SR", "any name", "shown; imported as reports", "with the Study Instance UID"),
        ("FHIR R4 JSON", "any name", "imported", "DiagnosticReport, alone or in a Bundle; only final or corrected"),
        ("HL7 v2", "any name", "imported", "ORU^R01; only final or corrected results"),
        ("PDF in DICOM", "any name", "opened in the PDF viewer of the computer, or saved", "Encapsulated PDF"),
        ("MRRT template", "`.html`", "imported as a report template", "[writing a report](../writing.md)"),
        ("bundle", "a folder with `manifest.json`", "loaded as models", "[model guide](../guide/models.md)"),
    )
    reports = ((one.label, key(name), key(one.suffix)) for name, one in FORMATS.items())
    return "\n".join(
        (
            MADE,
            "# File formats\n",
            "## Read\n",
            table(("format", "files", "what for", "remarks"), read),
            "## Written: reports\n",
            WRITTEN,
            table(("format", "`--format`", "file"), reports),
            WRITTEN_IMAGES,
        )
    )


PAGES_WRITTEN = {
    "commands.md": app_commands,
    "command-line.md": command_line,
    "settings.md": settings_page,
    "formats.md": formats_page,
}
"""Every page of the folder, by the name of its file."""


def main() -> int:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, write in PAGES_WRITTEN.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
