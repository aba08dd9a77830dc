"""Studies as a PACS lists them, and whose they are. Asks nobody.

An answer is believed no further than it can be checked: a PACS may take characters of a Patient ID for wildcards, or
ignore what it is asked for.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.dicom.identity import contradict
from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import Header, integer, text, texts
from engine.errors import UserError
from engine.pacs.address import Pacs
from engine.study import Patient

WILDCARDS = frozenset("*?\\")
"""Wildcard Matching (PS3.4 C.2.2.2.4), and what separates several values."""
MOST = 2_000
"""Studies of one patient. More are the answer to another question."""
UID = re.compile(r"[0-9]+(\.[0-9]+)+")
"""Components with a leading zero are wrong (PS3.5 9.1), and there are devices that write them."""
KEYS = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber", "ModalitiesInStudy"),
    *("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"),
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"),
)
"""What is asked for of each study."""


@dataclass(frozen=True, slots=True)
class Sought:
    """The patient whose studies are looked for."""

    patient: Patient
    issuer: str = ""
    """Issuer of Patient ID (0010,0021)."""
    study_uid: str = ""
    """The study that is open, which is none of its own priors; "" for all studies."""


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One study of a PACS."""

    uid: str
    date: str
    """YYYYMMDD, or ""."""
    time: str
    description: str
    accession: str
    modalities: tuple[str, ...]
    images: int | None
    """Number of its objects; None where the PACS does not say."""
    patient: Patient
    differs: str = ""
    """What of the patient is stated otherwise than asked, such as "birth date"; "" for nothing."""

    def as_dict(self) -> dict[str, object]:
        """For JSON, without patient data."""
        return {
            "uid": self.uid,
            "date": self.date,
            "time": self.time,
            "modalities": list(self.modalities),
            "description": self.description,
            "images": self.images,
            "differs": self.differs,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a PACS answered to the question for a patient."""

    studies: tuple[FoundStudy, ...]
    """Newest first."""
    dropped: int = 0
    """Studies of other patients, which nobody asked for."""

    def as_dict(self) -> dict[str, object]:
        """For JSON, without patient data."""
        return {"studies": [study.as_dict() for study in self.studies], "dropped": self.dropped}


def checked_id(patient_id: str) -> str:
    """A Patient ID that can be asked for.

    Raises:
        UserError: it is empty, or a PACS would take it for a pattern.
    """
    patient_id = patient_id.strip()
    if not patient_id:
        raise UserError("This study has no Patient ID, so its patient cannot be looked for in a PACS.")
    if WILDCARDS & set(patient_id) or not patient_id.isprintable():
        raise UserError(
            "This Patient ID contains *, ? or \\, which a PACS takes for a pattern that fits other patients: look for "
            "the study in the PACS itself."
        )
    return patient_id


def checked_uid(uid: str) -> str:
    """A UID as PS3.5 9.1 has it, which can also be the name of a folder.

    Raises:
        UserError: it is none.
    """
    if len(uid) > 64 or not UID.fullmatch(uid):
        raise UserError("This is not a Study Instance UID: digits and dots, at most 64 characters.")
    return uid


def is_uid(uid: str) -> bool:
    """Whether this is a UID as PS3.5 9.1 has it."""
    return len(uid) <= 64 and UID.fullmatch(uid) is not None


def answer(headers: Iterable[Header], sought: Sought) -> Answer:
    """The studies of the patient among those that a PACS listed.

    Raises:
        UserError: the PACS listed too many.
    """
    wanted = sought.patient.id.strip()
    found: dict[str, FoundStudy] = {}
    dropped = 0
    for count, header in enumerate(headers, 1):
        if count > MOST:
            raise UserError(f"The PACS lists more than {MOST:,} studies for this patient; look for the study there.")
        with collect_warnings():  # pydicom would log values that are against the standard
            study, issuer = _study(header, sought.patient), text(header, "IssuerOfPatientID")
        other_issuer = bool(issuer and sought.issuer) and issuer != sought.issuer
        if study.patient.id != wanted or other_issuer or not is_uid(study.uid):
            dropped += 1
        elif study.uid != sought.study_uid:
            found[study.uid] = study
    newest = sorted(found.values(), key=lambda one: (one.date, one.time, one.uid), reverse=True)
    return Answer(tuple(newest), dropped)


def count_in(headers: Iterable[Header], study_uid: str, pacs: Pacs) -> int | None:
    """The number of objects that a study has by the header that a PACS lists of it; None where it does not say.

    Raises:
        UserError: the study is not listed.
    """
    with collect_warnings():
        for header in headers:
            if text(header, "StudyInstanceUID") == study_uid:
                return integer(header, "NumberOfStudyRelatedInstances")
    raise UserError(f"{pacs.name} has no study of this UID; it may be deleted, or archived elsewhere.")


def _study(header: Header, asked: Patient) -> FoundStudy:
    patient = patient_of(header)
    return FoundStudy(
        uid=text(header, "StudyInstanceUID"),
        date=text(header, "StudyDate"),
        time=text(header, "StudyTime"),
        description=text(header, "StudyDescription"),
        accession=text(header, "AccessionNumber"),
        modalities=tuple(sorted(set(texts(header, "ModalitiesInStudy")) - {""})),
        images=integer(header, "NumberOfStudyRelatedInstances"),
        patient=patient,
        differs=_difference(patient, asked),
    )


def patient_of(header: Header) -> Patient:
    """The patient of a header or a result."""
    return Patient(
        name=text(header, "PatientName"),
        id=text(header, "PatientID"),
        birth_date=text(header, "PatientBirthDate"),
        sex=text(header, "PatientSex"),
    )


def _difference(one: Patient, asked: Patient) -> str:
    """What two headers of one Patient ID state differently."""
    if not contradict(one, asked):
        return ""
    if one.birth_date and asked.birth_date and one.birth_date != asked.birth_date:
        return "birth date"
    if {one.sex, asked.sex} == {"M", "F"}:
        return "sex"
    return "name"
