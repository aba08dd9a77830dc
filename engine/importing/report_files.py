"""Reads files of reports, told apart by their content: CSV, DICOM SR, FHIR JSON, HL7 v2. Knows no archive."""

from collections.abc import Iterator
from pathlib import Path

from engine.dicom.listing import open_path
from engine.errors import Rejected, UserError, exists, missing
from engine.importing import csv_files
from engine.importing.fhir_reports import read_fhir
from engine.importing.hl7_reports import looks_like_hl7, read_hl7
from engine.importing.source import FoundCase
from engine.importing.sr_reports import sr_case
from engine.progress import IsCancelled, ignore, never

_HEAD = 512


def is_message_file(path: Path) -> bool:
    """Whether a file begins as FHIR JSON or as HL7 v2."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return looks_like_hl7(head) or _looks_like_json(head)


def _looks_like_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def read_report_files(path: Path, cancelled: IsCancelled = never) -> Iterator[FoundCase | Rejected]:
    """Every report of a file, or of all files of a folder, and what cannot be read with its reason.

    Raises:
        UserError: the path does not exist; or, of a single file, it cannot be read.
    """
    if not exists(path):
        raise missing(path)
    if not path.is_dir():
        yield from _read(path, cancelled)
        return
    for one in sorted(path.rglob("*")):
        if one.is_file():
            try:
                yield from _read(one, cancelled)
            except UserError as error:
                yield Rejected(str(one), str(error), error.other)


def _read(path: Path, cancelled: IsCancelled) -> Iterator[FoundCase | Rejected]:
    if path.suffix.lower() == ".csv":
        yield from csv_files.read_reports(path, cancelled)
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if looks_like_hl7(head):
        yield from read_hl7(path)
    elif _looks_like_json(head):
        yield from read_fhir(path)
    else:
        listing = open_path(path, ignore, cancelled)
        yield from (sr_case(one) for one in listing.documents if one.kind == "report")
        yield from listing.rejected
        if not (listing.rejected or any(one.kind == "report" for one in listing.documents)):
            yield Rejected(str(path), "This file contains no report.")
