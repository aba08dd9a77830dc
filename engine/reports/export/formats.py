"""The formats of an exported report, and writing one of them to a file. Does not know a screen.

A file names the patient, so only its owner can read it. PDF is written by the app, from the page of html.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import UserError
from engine.reports.export.dicom_sr import as_basic_text_sr
from engine.reports.export.exported_report import ExportedReport
from engine.reports.export.fhir import as_fhir
from engine.reports.export.hl7_oru import as_oru
from engine.reports.export.html import as_html
from engine.reports.export.key_objects import as_key_objects
from engine.reports.export.plain_text import as_text
from engine.store.safety.whole_file import write_whole


@dataclass(frozen=True, slots=True)
class Format:
    """One format."""

    label: str
    suffix: str
    write: Callable[[ExportedReport], str | bytes]


FORMATS = {
    "txt": Format("Plain text", ".txt", as_text),
    "html": Format("HTML page", ".html", as_html),
    "sr": Format("DICOM Basic Text SR", ".dcm", as_basic_text_sr),
    "ko": Format("DICOM Key Object Selection", ".dcm", as_key_objects),
    "fhir": Format("FHIR R4 bundle", ".json", as_fhir),
    "hl7": Format("HL7 v2 message (ORU^R01)", ".hl7", as_oru),
}


def export_report(report: ExportedReport, format_name: str, path: Path) -> None:
    """Write a report, replacing the file if it exists.

    Raises:
        UserError: it cannot be written in this format, or the file cannot be written.
    """
    content = FORMATS[format_name].write(report)
    write_file(path, content if isinstance(content, bytes) else content.encode("utf-8", "replace"))


def write_file(path: Path, data: bytes) -> None:
    """Write or replace a file that only its owner can read.

    Raises:
        UserError: it cannot be written.
    """
    try:
        write_whole(path, [data])
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}. Choose another folder.", path) from None
