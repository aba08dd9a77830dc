"""Puts the result of one benchmark into docs/benchmarks.md under its own heading. Knows no benchmark."""

import re
from pathlib import Path


def put(document: Path, title: str, body: str) -> None:
    """Replace what stands under `## title` up to the next such heading, or add it at the end."""
    text = document.read_text(encoding="utf-8") if document.is_file() else ""
    section = f"## {title}\n\n{body.strip()}\n"
    found = re.search(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    if found is None:
        text = f"{text.rstrip()}\n\n{section}"
    else:
        rest = text[found.end() :]
        text = text[: found.start()] + section + (f"\n{rest}" if rest else "")
    document.write_text(text, encoding="utf-8")
