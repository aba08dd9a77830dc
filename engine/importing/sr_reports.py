"""Reads structured reports (DICOM SR) as reports to archive. Knows no archive.

Many were written by nobody: measurements of an ultrasound device, radiation dose, results of CAD. Archived as the
report of their study they would keep the real one out, so only SR classes and templates for written reports are taken.
"""

from collections.abc import Iterator

from engine.dicom.documents.document import StudyDocument, read_whole
from engine.dicom.documents.structured_report import MAX_DEPTH, report_text
from engine.dicom.values import Header, item, items, text
from engine.errors import Rejected, UserError
from engine.importing.found_report import FoundReport, report_case
from engine.importing.source import FoundCase
from engine.text.words import words

_STORAGE = "1.2.840.10008.5.1.4.1.1.88."
WRITTEN = frozenset(f"{_STORAGE}{number}" for number in (1, 2, 3, 4, 11, 22, 33, 34))
"""Basic Text, Enhanced and Comprehensive SR, and the trial classes before them."""
TEMPLATES = frozenset(("", "2000", "2005", "2006"))
"""Of imaging reports (PS3.16); "" where none is named."""
LEAST_WORDS = 3
"""Of one text item; with fewer in all of them nobody has written anything."""
DATA = "This structured report holds measurements or other data and not a written report."


def sr_case(document: StudyDocument) -> FoundCase | Rejected:
    """The report of a listed document, or why it is none."""
    study = document.study
    if document.sop_class not in WRITTEN:
        return Rejected(document.origin.name, DATA)
    try:
        content = read_whole(document)
    except UserError as error:
        return Rejected(document.origin.name, str(error), error.other)
    template = item(content, "ContentTemplateSequence")
    identifier = text(template, "TemplateIdentifier") if template is not None else ""
    if identifier not in TEMPLATES or all(len(words(one)) < LEAST_WORDS for one in _texts(content)):
        return Rejected(document.origin.name, DATA)
    return report_case(
        FoundReport(
            document.origin.name,
            report_text(content),
            (study.uid,),
            (study.accession,),
            study.patient.id,
            study.date,
            study.patient.sex,
            study.patient.age,
            description=study.description,
            identifiers=study.identifiers,
        )
    )


def _texts(parent: Header, level: int = 0) -> Iterator[str]:
    """The values of all text items."""
    for one in items(parent, "ContentSequence") if level <= MAX_DEPTH else ():
        if text(one, "ValueType") == "TEXT":
            yield text(one, "TextValue")
        yield from _texts(one, level + 1)
