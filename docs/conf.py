"""Configuration of Sphinx, which makes the guides from docs/: `./do docs` writes the site to build/guide."""

import re
from typing import Any

project = "Kindred"
extensions = ["myst_parser"]
root_doc = "index"
smartquotes_action = "qe"  # quotes and dots; options such as --json keep their dashes
exclude_patterns = ["conf.py"]

html_theme = "furo"
html_title = "Kindred guides"
html_static_path = ["static"]
html_css_files = ["kindred.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]

PAGES = {
    "../CHANGELOG.md": "/changelog.md",
    "../README.md": "/index.md",
    "../resources/starter-bundle/MODEL_CARD.md": "/model-card.md",
}
"""Files outside docs/ that the pages name, and the page that stands for each in the site."""


def _for_the_site(app: Any, name: str, source: list[str]) -> None:
    """Let links stay in the site, name a page by its title, and show the name of a test as the sentence it is."""
    for outside, page in PAGES.items():
        source[0] = re.sub(rf"\]\((?:\.\./)*{re.escape(outside)}", f"]({page}", source[0])
    source[0] = re.sub(r"\[[\w/-]+\.md\]\((?=[\w/.-]+\.md[)#])", "[](", source[0])
    source[0] = re.sub(r"`(tests/[\w/]+\.py)::test_(\w+)`", _proof, source[0])


def _proof(test: re.Match[str]) -> str:
    return f'<span class="proof" title="{test[1]}">✓ {test[2].replace("_", " ")}.</span>'


def setup(app: Any) -> None:
    """Change the sources as they are read; the files stay as they are."""
    app.connect("source-read", _for_the_site)
