"""Reads the rows of a CSV file in the forms that spreadsheets write. Knows no archive and not what the columns mean.

Comma, semicolon or tab between the cells, UTF-8 or (Excel's "Unicode text") UTF-16. A row that breaks the rules of
RFC 4180 is rejected, never repaired: a stray quotation mark would join the reports of several patients, and a comma
without quotation marks would cut one off.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from engine.errors import Cancelled, Rejected, UserError, missing
from engine.progress import IsCancelled, never

ImportRow = dict[str, str]
"""The stripped cells of a row by the name of the column, as `CsvRows.columns` has it."""
SEPARATORS = (",", ";", "\t")
MAX_BYTES, MAX_LINES = 128 << 20, 1_000_000
"""Of one file: its rows are kept in memory, some 400 bytes and their text each."""
MAX_CELLS = 20_000_000
"""Lines by columns: each cell of each row takes memory, also an empty one."""
MAX_DAMAGED = 100
"""Rows that are not valid CSV, after which the rest is not read: each may be a quotation mark open to the end."""
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SPELLINGS = {
    **dict.fromkeys(("studyuid", "studyinstanceuid"), "study_uid"),
    **dict.fromkeys(("accessionnumber", "accessionno", "accessionnr"), "accession"),
    **dict.fromkeys(("patientid", "patientno", "patientnr", "patientnumber"), "patient_id"),
    **dict.fromkeys(("caseid", "caseno", "casenr", "casenumber"), "case_id"),
    "studydate": "study_date",
}
"""Columns to match on as other programs write them, without what stands between the words: a column that nothing reads
would leave its reports without their studies, and its numbers in their text."""


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The content of one file."""

    rows: list[tuple[int, ImportRow]]
    """Each with the number of its first line."""
    columns: list[str]
    """Lower-case names with "_" between the words."""
    rejected: list[Rejected] = field(default_factory=list)


def read_rows(path: Path, required: tuple[str, ...], cancelled: IsCancelled = never) -> CsvRows:
    """The rows of a CSV file whose first line names the columns.

    Raises:
        UserError: unreadable, of another encoding, or a required column is missing.
        Cancelled: `cancelled`, which is asked before every row, returned True.
    """
    lines = list(io.StringIO(_text(path), newline=""))
    separator, columns = _header(path, lines, required)
    if len(lines) > MAX_LINES or len(lines) * len(columns) > MAX_CELLS:
        raise UserError(f"{path} has more than {MAX_LINES:,} lines or {MAX_CELLS:,} cells; split it.", path)
    found, damaged = CsvRows([], columns), 0
    for number, cells in _records(lines, separator):
        if cancelled():
            raise Cancelled
        where = f"{path} line {number}"
        if isinstance(cells, csv.Error):
            damaged += 1
            if damaged > MAX_DAMAGED:
                reason = f"More than {MAX_DAMAGED} rows are not valid CSV; the rest of the file was not read."
                found.rejected.append(Rejected(where, reason))
                break
            found.rejected.append(Rejected(where, f"The row is not valid CSV: {cells}."))
        elif any(cells[len(columns) :]):
            reason = (
                f"The row has {len(cells)} cells, but the first line names {len(columns)} columns; "
                "put texts that contain the separator in quotation marks."
            )
            found.rejected.append(Rejected(where, reason))
        elif cells:
            filled = [*cells, *[""] * (len(columns) - len(cells))]
            found.rows.append((number, {name: cell.strip() for name, cell in zip(columns, filled, strict=False)}))
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(f"{path} is larger than {MAX_BYTES >> 20} MB; split it.", path)
        data = path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", path) from None
    try:
        return data.decode("utf-16" if data.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}); save it again as CSV UTF-8.", path) from None


def _header(path: Path, lines: Sequence[str], required: tuple[str, ...]) -> tuple[str, list[str]]:
    """The separator and the names of the columns: of the separators with all required columns, that with the most."""
    names = {one: _names(lines[0], one) if lines else [] for one in SEPARATORS}
    complete = {one: columns for one, columns in names.items() if set(required) <= set(columns)}
    if complete:
        return max(complete.items(), key=lambda item: len(item[1]))
    likely = max(names.values(), key=len)
    absent = next(name for name in required if name not in likely)
    raise UserError(f"{path} has no column '{absent}'; its first line must name the columns.", path)


def _names(line: str, separator: str) -> list[str]:
    try:
        names = [_spelled(name) for name in next(csv.reader([line], delimiter=separator, strict=True), [])]
    except csv.Error:
        return []
    return [name if (usual := SPELLINGS.get(name.replace("_", ""), name)) in names else usual for name in names]


def _spelled(name: str) -> str:
    """The name of a column with "_" between its words: "Patient Name" and "PatientName" are one."""
    return re.sub(r"[\s_.-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())).lower()


def _records(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """The number of the first line of each record after the header, with its cells or what is wrong with it.

    After a wrong record it goes on with the next line: an opened quotation mark takes no other row with it.
    """
    first = 1
    while first < len(lines):
        reader = csv.reader(islice(lines, first, None), delimiter=separator, strict=True)
        start = first
        try:
            for cells in reader:
                yield start + 1, cells
                start = first + reader.line_num
            return
        except csv.Error as error:
            yield start + 1, error
            first = start + 1
