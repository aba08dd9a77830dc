"""Writes the result of one benchmark under its heading in a Markdown document. Does not know any benchmark."""

import re
from pathlib import Path


def put(document: Path, title: str, body: str) -> None:
    """Replace the section `## title`, up to the next heading of that level; append it if the document lacks it."""
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    section = f"## {title}\n\n{body.strip()}\n"
    match = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if match is None:
        text = f"{text.rstrip()}\n\n{section}"
    else:
        rest = text[match.end() :]
        text = text[: match.start()] + section + (f"\n{rest}" if rest else "")
    document.write_text(text, encoding="utf-8")
