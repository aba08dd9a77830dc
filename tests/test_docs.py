"""The documents name what there is: every path, every wing, every verb."""

import re
import subprocess
import sys

import pytest

from tests.paths import ROOT

DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    *(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")),
]
PATH = re.compile(r"`((?:engine|desktop|training|export|tests|benchmarks|docs|resources|tools)/[\w./-]*\w)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_link_of_a_document_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    places = [ROOT / path for path in PATH.findall(text)]
    places += [(ROOT / document).parent / link for link in LINK.findall(text)]
    assert [str(place) for place in places if not place.exists()] == []


@pytest.mark.parametrize("room", ["engine", "desktop/state", "desktop/views", "training"])
def test_the_architecture_names_every_wing(room: str) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    wings = [path.parent.name for path in (ROOT / room).glob("*/__init__.py")]
    assert [wing for wing in wings if not re.search(rf"\b{wing}\b", text)] == []


def test_the_readme_is_short_and_shows_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "./do run" in text
    assert "./do test" in text


def test_every_command_of_kindred_stands_in_the_readme() -> None:
    from engine.cli.main import cli

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in cli.commands if f"kindred {name}" not in text] == []


def test_do_alone_lists_every_verb() -> None:
    listed = subprocess.run([sys.executable, "do"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    verbs = set(re.findall(r'^    "(\w+)": \[', (ROOT / "do").read_text(encoding="utf-8"), re.MULTILINE)) | {
        "map",
        "words",
    }
    assert verbs == set(re.findall(r"^\./do (\w+)", listed, re.MULTILINE))
