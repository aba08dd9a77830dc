"""A CSV of reports imported with images. Knows no archive and no other file format.

A row belongs to the case that its `study_uid`, `accession`, `case_id` or `image` matches; the values are compared as
they are in the source, before identifiers are hashed. Rows that match nothing become report-only cases, which the
importer joins to studies that are archived (joining.py) or lists.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import Rejected, UserError
from engine.importing.csv_files import DATES, MATCH_COLUMNS, identifiers, report_cases
from engine.importing.csv_rows import ImportRow, read_rows
from engine.importing.source import FoundCase
from engine.progress import IsCancelled, never


class ReportTable:
    """The rows of one file, each used at most once."""

    def __init__(self, path: Path, cancelled: IsCancelled = never) -> None:
        """Read the file.

        Raises:
            UserError: unreadable, without text, or without any column to match on.
            Cancelled: `cancelled` returned True.
        """
        self.path = path
        table = read_rows(path, ("text",), cancelled)
        self._rows, self._rejected = table.rows, table.rejected
        self._used: set[int] = set()
        self.matched: list[tuple[str, str]] = []
        """(row, name of the case) of each row that was used."""
        self._by_value: dict[tuple[str, str], int] = {}
        by_visit = "patient_id" in table.columns and set(table.columns) & set(DATES)
        if not by_visit and not set(table.columns) & set(MATCH_COLUMNS):
            columns = f"{', '.join(MATCH_COLUMNS)}, or both patient_id and {DATES[0]}"
            raise UserError(f"{path} has no column to match on; add one of: {columns}.", path)
        for index, (_, row) in enumerate(self._rows):
            for column in MATCH_COLUMNS:
                if row.get(column) and row.get("text"):
                    self._by_value.setdefault((column, row[column]), index)

    def with_report(self, case: FoundCase) -> FoundCase:
        """The case with the text of the first unused row that matches it; unchanged when none does.

        The row also supplies the patient where the source has none, as with PNG and JPEG files.
        """
        for column in MATCH_COLUMNS:
            for value in case.match_values.get(column, ()):
                index = self._by_value.get((column, value))
                if index is not None and index not in self._used:
                    self._used.add(index)
                    self.matched.append((f"{self.path} line {self._rows[index][0]}", case.name))
                    return _with_row(case, self._rows[index][1])
        return case

    def unmatched(self) -> Iterator[FoundCase | Rejected]:
        """The rows that matched no case, as report-only cases, and the rows that are malformed or have no text."""
        yield from self._rejected
        for number, case in report_cases(row for index, row in enumerate(self._rows) if index not in self._used):
            name = f"{self.path} line {number}"
            yield replace(case, name=name) if case.text else Rejected(name, "The row has no text.")


def _with_row(case: FoundCase, row: ImportRow) -> FoundCase:
    return replace(
        case,
        text=row["text"],
        patient=case.patient or row.get("patient_id") or None,
        identifiers=(*case.identifiers, *identifiers(row)),
    )
