"""Prints every string that a person can meet, file by file, so that all can be read in one sitting: `./do words`.

Read from the source: prose in string literals of the desktop, the engine, training and export, with {} where a value
goes, and the labels of resources/. Left out are docstrings, log lines, SQL, regular expressions, keys and identifiers.
What it cannot know: whether a string is really shown; a few that are not are better than one that is missed.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("desktop", "engine", "training", "export")
LABELS = ("resources/window_presets.json",)
SILENT_CALLS = {
    *("compile", "match", "fullmatch", "search", "sub", "split", "finditer", "findall"),  # regular expressions
    *("debug", "info", "warning", "error", "exception", "getLogger"),  # logs
    *("execute", "query", "executescript", "strftime", "getattr", "encode", "objectName", "setStyleSheet"),
}
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|WITH|AND|ORDER BY|WHERE)\b")
PROSE = re.compile(r"[A-Za-z]{2,}.* .*[A-Za-z]{2,}|[A-Z][a-z]{2,}…?\.?|.*[a-z]{2,} \{\}.*|\{\} [a-z]{2,}.*", re.DOTALL)
CODE = re.compile(r"(Ctrl|Alt|Shift)\+\S+|[A-Z][A-Za-z]+[A-Z]\w*|[\w.\[\]]+ \| \w+|.*(; \}|%\(\w+\)s).*", re.DOTALL)
"""A shortcut, a CamelCase name, a type, a style sheet, a log format."""


def strings_of(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of each literal that reads like prose, in the order of the file."""
    tree = ast.parse(source)
    silent = set(_silent(tree))
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        text = _text(node)
        if text is not None and PROSE.search(text) and not SQL.match(text) and not _is_code(text):
            yield node.lineno, " ".join(text.split())  # type: ignore[attr-defined]


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _is_code(text: str) -> bool:
    return bool(CODE.fullmatch(text)) or (" " not in text.strip() and not text[:1].isupper())


def _silent(tree: ast.AST) -> Iterator[int]:
    """Ids of nodes that nobody is shown: docstrings, keys, parts of f-strings, arguments of silent calls."""
    for node in ast.walk(tree):
        hidden: Sequence[ast.AST | None] = ()
        if isinstance(node, ast.Expr):
            hidden = [node.value] if isinstance(node.value, ast.Constant) else []
        elif isinstance(node, ast.JoinedStr):
            hidden = [inner for value in node.values for inner in _constants(value)]
        elif isinstance(node, ast.Subscript):
            hidden = [node.slice]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            hidden = [inner for given in node.args for inner in ast.walk(given)] if name in SILENT_CALLS else []
        yield from (id(inner) for inner in hidden if inner is not None)


def _constants(node: ast.AST) -> Iterator[ast.AST]:
    return (inner for inner in ast.walk(node) if isinstance(inner, ast.Constant))


def files() -> list[Path]:
    """The modules whose strings are listed."""
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def labels() -> Iterator[tuple[str, str]]:
    """(file, text) of the labels in resources/."""
    for name in LABELS:
        content = json.loads((ROOT / name).read_text(encoding="utf-8"))
        yield from ((name, text) for text in _names(content))


def _names(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        yield from (value for key, value in content.items() if key in ("name", "label") and isinstance(value, str))
        content = list(content.values())
    if isinstance(content, list):
        for value in content:
            yield from _names(value)


def main(argv: Sequence[str]) -> int:
    """Print the strings of all rooms, or of the files and folders named, and how many there are."""
    wanted = [ROOT / name for name in argv]
    count = 0
    for path in files():
        if wanted and not any(path == one or one in path.parents for one in wanted):
            continue
        found = list(strings_of(path.read_text(encoding="utf-8")))
        count += len(found)
        if found:
            sys.stdout.write(f"\n{path.relative_to(ROOT).as_posix()}\n")
            sys.stdout.writelines(f"{line:5}  {text}\n" for line, text in found)
    for name, text in () if wanted else labels():
        sys.stdout.write(f"{name}  {text}\n")
        count += 1
    sys.stdout.write(f"\n{count:,} strings\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
