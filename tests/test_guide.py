"""The built guides: complete, readable from a disk alone, and without a link or a picture that leads nowhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest

from desktop.actions import COMMANDS
from tests.paths import ROOT
from tools import visible_strings
from tools.visible_strings import strings_of

LOADS = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src", "video": "src"}
"""What a browser fetches by itself, by the element and its attribute."""
OFF_DISK = ("http", "https", "ftp", "ws", "wss")


class Page(HTMLParser):
    """The links, loaded files and anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.anchors.add(values.get("id", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag in LOADS and LOADS[tag] in values:
            self.loads.append(values[LOADS[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guides, built as `./do docs` builds them: a warning fails."""
    folder = tmp_path_factory.mktemp("guide")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(folder / "doctrees")]
    built = subprocess.run([*command, "docs", str(folder / "site")], cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html")}


def test_every_document_has_a_page(pages: dict[Path, Page], site: Path) -> None:
    documents = [path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")]
    assert {site / path for path in documents} <= set(pages)


def test_every_link_and_picture_leads_to_what_is_there(pages: dict[Path, Page]) -> None:
    lost = []
    for path, page in pages.items():
        for target in (*page.links, *page.loads):
            place, anchor = urldefrag(target)
            if urlparse(place).scheme:
                continue
            file = (path.parent / unquote(urlparse(place).path)).resolve() if place else path
            known = file.is_file() and (not anchor or file not in pages or unquote(anchor) in pages[file].anchors)
            if not known:
                lost.append(f"{path.name}: {target}")
    assert lost == []


def test_nothing_of_a_page_is_loaded_from_a_network(pages: dict[Path, Page], site: Path) -> None:
    loaded = [one for page in pages.values() for one in page.loads]
    assert [one for one in loaded if urlparse(one).scheme in OFF_DISK or one.startswith("//")] == []
    assert any(one.endswith(".css") or ".css?" in one for one in loaded)
    styles = "\n".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"@import[^;]*|url\(['\"]?(?:https?:)?//[^)]*\)", styles) == []
    assert "--color" in styles  # they were read


def test_an_option_keeps_its_two_dashes(site: Path) -> None:
    page = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    assert "With --series," in page


def test_no_page_is_out_of_reach(pages: dict[Path, Page], site: Path) -> None:
    reached, waiting = set(), [site / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in reached or path not in pages:
            continue
        reached.add(path)
        waiting += [(path.parent / unquote(urldefrag(link)[0])).resolve() for link in pages[path].links]
    assert {path.name for path in set(pages) - reached} <= {"genindex.html", "search.html"}


def test_every_control_of_the_risk_table_has_the_test_that_it_names() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "guide" / "risks.md").read_text("utf-8"))
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []


GUIDES = sorted((ROOT / "docs" / "guide").glob("*.md"))
NAMED = re.compile(r"\*([^*\n]+)\* \(`([^`]+)`\)")
"""A command with its key, as the guides write both."""
SHOWN = {text for path in visible_strings.files() for _, text in strings_of(path.read_text(encoding="utf-8"))}
ON_SCREEN = SHOWN | {word for command in COMMANDS for word in (command.text, command.menu, command.submenu)}


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_a_key_that_a_guide_names_is_that_of_its_command(path: Path) -> None:
    keys = {command.text: command.shortcuts for command in COMMANDS}
    text = path.read_text(encoding="utf-8")
    wrong = [(name, key) for name, key in NAMED.findall(text) if key not in keys.get(name, ())]
    assert wrong == []


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_shows_in_italics_is_on_the_screen(path: Path) -> None:
    text = re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8"))
    assert set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text)) - ON_SCREEN == set()


def test_the_guides_name_many_keys() -> None:
    assert sum(len(NAMED.findall(path.read_text(encoding="utf-8"))) for path in GUIDES) > 60


LINKED = re.compile(r"\]\(((?:\.\./)?[\w-]+\.md)\)")
FIGURE = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")


@pytest.mark.parametrize("name", ["limits", "security", "models"])
def test_a_figure_of_a_guide_stands_in_the_page_that_it_names(name: str) -> None:
    """A row of a table, or a paragraph, is looked at with the pages that it links to; single digits are words."""
    guide = ROOT / "docs" / "guide" / f"{name}.md"
    checked, unknown = 0, []
    for block in re.split(r"\n(?=\|)|\n\n", guide.read_text(encoding="utf-8")):
        pages = [_text_of((guide.parent / link).resolve()) for link in LINKED.findall(block)]
        for number in FIGURE.findall(block) if pages else ():
            figure = number.rstrip(",").replace(",", "")
            if len(figure) > 1:
                checked += 1
                known = any(re.search(rf"(?<![\d.]){re.escape(figure)}(?!\d)", page) for page in pages)
                unknown += [] if known else [f"{number}: {block[:60]}"]
    assert unknown == []
    assert checked >= 4


def _text_of(page: Path) -> str:
    """The text of a page, without separators of thousands; that of the model card where the page includes it."""
    text = page.read_text(encoding="utf-8")
    included = re.search(r"```{include} (\S+)", text)
    text = (page.parent / included[1]).read_text(encoding="utf-8") if included else text
    return re.sub(r"(?<=\d),(?=\d{3})", "", text)
