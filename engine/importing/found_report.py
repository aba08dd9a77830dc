"""A report as SR, FHIR and HL7 files hold it, turned into a case without images. Knows no file format.

What Kindred exported itself is refused: its words may be a machine's, and the archive gets them when they are signed.
"""

import hashlib
from dataclasses import dataclass

from engine.errors import Rejected
from engine.importing.csv_files import REPORTS
from engine.importing.source import FoundCase, joins_for
from engine.text.notice import NOTICE

OWN = "This report was exported by Kindred as a research draft; sign it there to archive it."
NO_TEXT = "The report has no text."


@dataclass(frozen=True, slots=True)
class FoundReport:
    """One report; values are as in the file."""

    name: str
    """File, or part of one, for messages."""
    text: str
    study_uids: tuple[str, ...] = ()
    accessions: tuple[str, ...] = ()
    patient: str = ""
    """Patient ID."""
    date: str = ""
    """Of the study; see `joins_for`."""
    sex: str = ""
    age: int | None = None
    modality: str = ""
    description: str = ""
    identifiers: tuple[str, ...] = ()
    """Names and numbers that identify somebody, to be removed from the text."""


def report_case(found: FoundReport) -> FoundCase | Rejected:
    """The case of a report. Its key is a hash of all that it is joined by and of its text."""
    text = found.text.strip()
    if NOTICE.casefold() in text.casefold():
        return Rejected(found.name, OWN)
    if not text:
        return Rejected(found.name, NO_TEXT)
    joins = joins_for(found.study_uids, found.accessions, found.patient, found.date)
    digest = hashlib.sha256("\0".join([*(f"{role} {value}" for role, value in joins), text]).encode()).hexdigest()
    numbers = (found.patient, *found.accessions)
    return FoundCase(
        key=f"report {digest}",
        name=found.name,
        text=text,
        modality=found.modality.upper(),
        sex=found.sex if found.sex in ("M", "F", "O") else "",
        age=found.age,
        description=found.description,
        source=REPORTS,
        patient=found.patient or None,
        date=found.date,
        identifiers=tuple(dict.fromkeys(one for one in (*found.identifiers, *numbers) if one)),
        joins=joins,
    )
