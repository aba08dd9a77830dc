"""Prints the tree with the first sentence of each module's docstring: `./do map [FOLDER ...]`. Imports no module."""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("desktop", "engine", "training", "export", "benchmarks", "installer", "tools")
WIDTH = 120


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, "" without one."""
    line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return re.split(r"(?<=[a-z`)])\. ", line)[0].rstrip(".")


def lines_of(folder: Path, depth: int = 0) -> Iterator[str]:
    """A folder's own line, its modules, then its sub-packages, each indented by its depth."""
    indent = "  " * depth
    about = first_sentence(folder / "__init__.py") if (folder / "__init__.py").is_file() else ""
    yield f"{indent}{folder.name + '/':<{24 - len(indent)}} {about}".rstrip()[:WIDTH]
    for path in sorted(folder.glob("*.py")):
        if path.name != "__init__.py":
            yield f"{indent}  {path.name:<{22 - len(indent)}} {first_sentence(path)}".rstrip()[:WIDTH]
    for inner in sorted(path for path in folder.iterdir() if any(path.glob("*.py"))):
        yield from lines_of(inner, depth + 1)


def main(argv: Sequence[str]) -> int:
    """Print the named folders, or every room."""
    for name in argv or ROOMS:
        folder = ROOT / name
        if not folder.is_dir():
            sys.stderr.write(f"There is no folder {name}; name one such as engine or desktop/state.\n")
            return 2
        sys.stdout.writelines(line + "\n" for line in lines_of(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
