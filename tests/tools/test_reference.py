"""The reference: every command, option, setting and variable is documented, and the pages are those of the code."""

import re
from collections.abc import Iterator

import click
import pytest

from desktop.actions import COMMANDS
from desktop.commands.sentences import SENTENCES
from desktop.state import settings
from desktop.views.settings.rows import PAGES, Switch
from engine.cli.main import cli
from tests.paths import ROOT
from tools.reference import ENVIRONMENT, FOLDER, PAGES_WRITTEN, ROWS, field_docs

SENTENCE = re.compile(r"[A-Z].*\.$", re.DOTALL)


def commands_of(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from commands_of(command)


@pytest.mark.parametrize("name", PAGES_WRITTEN)
def test_a_page_of_the_reference_is_what_the_code_says(name: str) -> None:
    """If not: `python -m tools.reference`."""
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES_WRITTEN[name]()


def test_every_command_of_the_app_has_a_sentence() -> None:
    names = {command.name for command in COMMANDS}
    assert (names - set(SENTENCES), set(SENTENCES) - names) == (set(), set())
    assert [text for text in SENTENCES.values() if not SENTENCE.match(text)] == []


def test_every_command_and_option_of_kindred_has_a_sentence() -> None:
    found = list(commands_of(cli))
    assert len(found) > 15
    assert [command.name for command in found if not command.help] == []
    options = [(command.name, one) for command in found for one in command.params if isinstance(one, click.Option)]
    assert [(name, one.name) for name, one in options if not SENTENCE.match(one.help or "")] == []


def test_every_setting_has_a_sentence() -> None:
    rows = [row for page in PAGES for row in page.rows]
    silent = [row.label for row in rows if not (isinstance(row, Switch) or row.hint or row.label in ROWS)]
    assert silent == []
    told = {row.label for row in rows if not isinstance(row, Switch)}
    assert set(ROWS) <= told
    docs = field_docs(ROOT / "desktop" / "state" / "settings.py", "Settings")
    assert set(docs) == set(settings.Settings.__dataclass_fields__)
    assert [name for name, text in docs.items() if not text] == []


def test_every_environment_variable_that_is_read_or_set_is_documented() -> None:
    sources = [
        path.read_text(encoding="utf-8") for room in ("engine", "desktop") for path in (ROOT / room).rglob("*.py")
    ]
    direct = {name for text in sources for name in re.findall(r"environ(?:\.get\(|\[)\"(\w+)\"", text)}
    named = {
        value
        for text in sources
        for name in re.findall(r"environ(?:\.get\(|\[)([A-Z]+)\b", text)
        for value in re.findall(rf'^{name} = "(\w+)"', text, re.MULTILINE)
    }
    assert direct | named == set(ENVIRONMENT)
