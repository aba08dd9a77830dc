"""A listed object of a study that is no image but says something of its images. Reads its header, not its content."""

from dataclasses import dataclass
from typing import Literal

from engine.dicom.file import read_header
from engine.dicom.header import PEOPLE, study_facts
from engine.dicom.values import FileHeader, Header, integer, item, text
from engine.study import Origin, Study

Kind = Literal["report", "PDF", "presentation state", "segmentation"]
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_KINDS: dict[str, Kind] = {
    _STORAGE + "104.1": "PDF",
    **dict.fromkeys((_STORAGE + "11.1", _STORAGE + "11.2", _STORAGE + "11.3"), "presentation state"),
    **dict.fromkeys((_STORAGE + "66.4", _STORAGE + "66.7"), "segmentation"),
}
_REPORTS = _STORAGE + "88."
TAGS: list[int | str] = [
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription"),
    *("StudyDate", "StudyTime", "StudyDescription", "AccessionNumber", "StudyID", "Modality", *PEOPLE),
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge", "InstitutionName"),
    *("ConceptNameCodeSequence", "DocumentTitle", "ContentLabel", "ContentDescription", "NumberOfFrames"),
    *("ContentDate", "ContentTime", "VerificationFlag", "Rows", "Columns"),
]
"""Elements that a listing needs."""
_MAX_TITLE = 64
"""Characters of a title (VR LO, PS3.5 6.2)."""


@dataclass(frozen=True, slots=True)
class StudyDocument:
    """One object, with the study that its header states."""

    kind: Kind
    origin: Origin
    study: Study
    """Without series."""
    sop_class: str = ""
    sop_uid: str = ""
    number: int | None = None
    """Series Number."""
    title: str = ""
    date: str = ""
    """Content Date (0008,0023)."""
    rows: int = 0
    columns: int = 0
    frames: int = 1
    """Of a segmentation."""

    def __hash__(self) -> int:
        return hash(self.origin)

    @property
    def key(self) -> str:
        """Unique among open documents."""
        return self.sop_uid or self.origin.name

    def as_dict(self) -> dict[str, object]:
        """For JSON, without patient data."""
        return {"path": self.origin.name, "kind": self.kind, "study": self.study.uid, "title": self.title}


def kind_of(sop_class: str) -> Kind | None:
    """What objects of a SOP class are here; None for images, and for what is not read."""
    return "report" if sop_class.startswith(_REPORTS) else _KINDS.get(sop_class)


def study_document(header: FileHeader, origin: Origin, kind: Kind) -> StudyDocument:
    """The listed object of a header with `TAGS`."""
    facts = study_facts(header)
    study = Study(
        facts.uid, facts.date, facts.time, facts.description, facts.accession, facts.patient, people=facts.people
    )
    return StudyDocument(
        kind,
        origin,
        study,
        text(header, "SOPClassUID"),
        text(header, "SOPInstanceUID"),
        integer(header, "SeriesNumber"),
        _title(header),
        text(header, "ContentDate"),
        integer(header, "Rows") or 0,
        integer(header, "Columns") or 0,
        max(1, integer(header, "NumberOfFrames") or 1),
    )


def read_whole(document: StudyDocument) -> FileHeader:
    """The whole header of a document, which is all of it but pixels.

    Raises:
        UserError: it cannot be read, or takes too much time or memory.
    """
    with document.origin.open() as file:
        return read_header(file)


def _title(header: Header) -> str:
    concept = item(header, "ConceptNameCodeSequence")
    found = (
        text(header, "DocumentTitle"),
        text(concept, "CodeMeaning") if concept is not None else "",
        text(header, "ContentDescription"),
        text(header, "SeriesDescription"),
        text(header, "ContentLabel"),
    )
    return " ".join(next((one for one in found if one), "").split())[:_MAX_TITLE]
