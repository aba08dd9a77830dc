"""Helpers of the readers of public layouts: collected rows, and files read with clear errors. Knows no layout."""

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
IMAGE_ENDINGS = (".jpg", ".png", ".jpeg")


@dataclass(frozen=True)
class DatasetRows:
    """The rows of a data set, with `image` relative to its folder, and what was left out, with reasons."""

    rows: list[CsvRow] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add(self, **values: str) -> None:
        """Add a row; missing columns are empty."""
        self.rows.append({name: " ".join(values.get(name, "").split()) for name in COLUMNS})

    def reject(self, where: str, reason: str) -> None:
        """List what is left out, and why."""
        self.rejected.append(Rejected(where, reason))


def image_path(folder: Path, images: Path, *stems: str) -> str:
    """Path relative to `folder` of the first stem that is an image file in `images`; else of the first one."""
    options = [images / f"{stem}{ending}" for stem in stems if stem for ending in IMAGE_ENDINGS]
    return (next((path for path in options if path.is_file()), options[0])).relative_to(folder).as_posix()


def paper_url(name: str) -> str:
    """The address of a paper at PubMed Central, from the PMC name of one of its figures."""
    paper = name.partition("_")[0]
    return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{paper}/" if paper else ""


def text_value(values: dict[str, Any], name: str) -> str:
    """A value as text; "" for the entries that stand for "none"."""
    value = str(values.get(name) or "").strip()
    return "" if value.lower() in BLANK else value


def text(file: Path) -> str:
    """The content of a UTF-8 text file."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"Cannot read {file} as UTF-8 text; unpack the data set again.") from problem


def json_object(file: Path, content: str) -> dict[str, Any]:
    """The JSON object in `content`; `file` is named in errors."""
    try:
        value = json.loads(content)
    except json.JSONDecodeError as problem:
        raise UserError(f"{file} is not valid JSON ({problem}); unpack the data set again.") from problem
    if not isinstance(value, dict):
        raise UserError(f"{file} does not contain a JSON object; unpack the data set again.")
    return value


def table(file: Path, *needed: str) -> Iterator[CsvRow]:
    """Rows of a CSV file by stripped column names; no rows if there is no such file."""
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


def json_lines(base: Path, name: str, found: DatasetRows) -> Iterator[dict[str, Any]]:
    """Objects of NAME.jsonl, or of NAME_1.jsonl and NAME_2.jsonl; other lines are rejected."""
    splits = base / "splitted_dataset"
    whole = splits / f"{name}.jsonl"
    for file in [whole] if whole.is_file() else [splits / f"{name}_{half}.jsonl" for half in (1, 2)]:
        for number, line in enumerate(text(file).split("\n") if file.is_file() else [], start=1):
            try:
                value = json.loads(line)
            except json.JSONDecodeError:
                value = None
            if isinstance(value, dict):
                yield value
            elif line.strip():
                found.reject(f"{file}:{number}", "The line is not a JSON object.")
