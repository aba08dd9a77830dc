"""What the readers of public layouts share: rows found and refused, and files read with one sentence for a bad one.

Knows no layout.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import Rejected, UserError

CsvRow = dict[str, str]
COLUMNS = (
    "image",
    "text",
    "modality",
    "view",
    "finding",
    "patient_id",
    "split_group",
    "split",
    "source",
    "licence",
    "url",
    "age",
    "sex",
    "location",
    "history",
    "case_findings",
    "case_diagnosis",
)
BLANK = {"n/a", "na", "none", "left blank", "null"}
PICTURES = (".jpg", ".png", ".jpeg")


@dataclass(frozen=True)
class DatasetRows:
    """What a folder holds: rows (image named from the folder) and what was left out, with reasons."""

    rows: list[CsvRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, **values: str) -> None:
        self.rows.append({name: " ".join(values.get(name, "").split()) for name in COLUMNS})

    def refuse(self, where: str, reason: str) -> None:
        self.rejected.append(Rejected(where, reason))


def picture(folder: Path, place: Path, *stems: str) -> str:
    """The first name that is a file in `place`, named from the folder; else the first, which is then missing."""
    options = [place / f"{stem}{ending}" for stem in stems if stem for ending in PICTURES]
    return (next((path for path in options if path.is_file()), options[0])).relative_to(folder).as_posix()


def pmc(name: str) -> str:
    paper = name.partition("_")[0]
    return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{paper}/" if paper else ""


def said(values: dict[str, Any], name: str) -> str:
    """A value as text; "" for what its authors write when there is none."""
    value = str(values.get(name) or "").strip()
    return "" if value.lower() in BLANK else value


def text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{file} cannot be read as text in UTF-8; unpack the data set again.") from problem


def parsed(file: Path, content: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except json.JSONDecodeError as problem:
        raise UserError(f"{file} is not valid JSON ({problem}); unpack the data set again.") from problem
    if not isinstance(value, dict):
        raise UserError(f"{file} holds no JSON object; unpack the data set again.")
    return value


def table(file: Path, *needed: str) -> Iterator[CsvRow]:
    """Lines of a CSV file by stripped column names; nothing where there is no such file."""
    if not file.is_file():
        return
    reader = csv.reader(io.StringIO(text(file), newline=""))
    columns = [name.strip() for name in next(reader, [])]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise UserError(f"{file} has no column {missing[0]!r}; unpack the data set again.")
    for values in reader:
        if values:
            yield dict(zip(columns, [*map(str.strip, values), *[""] * len(columns)]))


def records(base: Path, name: str, found: DatasetRows) -> Iterator[dict[str, Any]]:
    """Objects of NAME.jsonl, or of its halves NAME_1.jsonl and NAME_2.jsonl; lines that are none are left out."""
    place = base / "splitted_dataset"
    whole = place / f"{name}.jsonl"
    for file in [whole] if whole.is_file() else [place / f"{name}_{half}.jsonl" for half in (1, 2)]:
        for number, line in enumerate(text(file).split("\n") if file.is_file() else [], start=1):
            try:
                value = json.loads(line)
            except json.JSONDecodeError:
                value = None
            if isinstance(value, dict):
                yield value
            elif line.strip():
                found.refuse(f"{file}:{number}", "The line is no JSON object.")
