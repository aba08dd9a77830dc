"""A CSV of reports that goes with the pictures of an import. Knows no archive and no file formats but its own.

A row belongs to the case that its `study_uid`, `accession`, `case_id` or `image` names, looked up as they stand in the
source, before identifiers are hashed. Rows that match nothing become report-only cases, and the caller lists them.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import Rejected, UserError
from engine.importing.csv_files import MATCH_COLUMNS, Row, identifiers, read_rows, report_cases
from engine.importing.source import FoundCase
from engine.progress import IsCancelled, never


class ReportTable:
    """The rows of one file, each used at most once."""

    def __init__(self, path: Path, cancelled: IsCancelled = never) -> None:
        """Read the file.

        Raises:
            UserError: unreadable, without text, or without any column to match on.
            Cancelled: the caller said so.
        """
        self.path = path
        self._rows = read_rows(path, ("text",), cancelled)
        self._used: set[int] = set()
        self._by_name: dict[tuple[str, str], int] = {}
        columns = set(self._rows[0][1]) if self._rows else set(MATCH_COLUMNS)
        if not columns & set(MATCH_COLUMNS):
            raise UserError(f"{path} has no column to match on; add one of: {', '.join(MATCH_COLUMNS)}.", path)
        for index, (_, row) in enumerate(self._rows):
            for column in MATCH_COLUMNS:
                if row.get(column) and row.get("text"):
                    self._by_name.setdefault((column, row[column]), index)

    def take(self, case: FoundCase) -> FoundCase:
        """The case with the text of the first unused row that names it; as it is when there is none.

        Its patient comes from the row as well where the source knows none, as with PNG and JPEG files.
        """
        for column in MATCH_COLUMNS:
            for value in case.names.get(column, ()):
                index = self._by_name.get((column, value))
                if index is not None and index not in self._used:
                    self._used.add(index)
                    return _with_row(case, self._rows[index][1])
        return case

    def rest(self) -> Iterator[FoundCase | Rejected]:
        """What no case took: report-only cases, and rows without text."""
        for number, case in report_cases(row for index, row in enumerate(self._rows) if index not in self._used):
            where = f"{self.path} line {number}"
            yield replace(case, name=where) if case.text else Rejected(where, "It has no text.")


def _with_row(case: FoundCase, row: Row) -> FoundCase:
    return replace(
        case,
        text=row["text"],
        patient=case.patient or row.get("patient_id") or None,
        identifiers=(*case.identifiers, *identifiers(row)),
    )
