"""Checks objects that a PACS sent, or that lie in a folder since an earlier retrieval: whose they are, and if whole."""

import struct
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.tag import Tag

from engine.dicom.fast_header import read_fast_header
from engine.dicom.file import read_header
from engine.dicom.values import FileHeader, text
from engine.errors import UserError
from engine.pacs.studies import Sought, is_uid, patient_of
from engine.study import Patient

TAGS: list[int | str] = [
    *("SOPInstanceUID", "SOPClassUID", "StudyInstanceUID", "SeriesInstanceUID"),
    *("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex"),
]
KEPT = frozenset(int(Tag(keyword)) for keyword in ("SpecificCharacterSet", *TAGS))
SUFFIX = ".dcm"
PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_LONG = (b"OB", b"OW", b"OF", b"OD", b"UN")
_IMPLICIT = "1.2.840.10008.1.2"


@dataclass(frozen=True, slots=True)
class ReceivedObject:
    """What the header of an object says."""

    sop_uid: str
    series_uid: str
    study_uid: str
    patient: Patient
    issuer: str


def read_object(file: BinaryIO) -> ReceivedObject:
    """The header of an object, which must be whole.

    Raises:
        UserError: it is no DICOM, damaged or cut off.
    """
    header = _header(file)
    _check_end(file, header)
    found = ReceivedObject(
        sop_uid=text(header, "SOPInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        study_uid=text(header, "StudyInstanceUID"),
        patient=patient_of(header),
        issuer=text(header, "IssuerOfPatientID"),
    )
    if not is_uid(found.sop_uid):
        raise UserError("The object has no SOP Instance UID.")
    return found


def checked_object(data: bytes, study_uid: str, patient_id: str = "") -> ReceivedObject:
    """What an object of a retrieval is, if it was asked for.

    Args:
        data: a DICOM file.
        study_uid: the study that was asked for.
        patient_id: whose study it is; "" if that is not known.

    Raises:
        UserError: it is damaged, or of another study or patient.
    """
    found = read_object(BytesIO(data))
    if found.study_uid != study_uid:
        raise UserError("The object belongs to a study that was not asked for.")
    if patient_id and found.patient.id != patient_id:
        raise UserError("The object has another Patient ID than the study that was asked for.")
    return found


def sought_in(file: BinaryIO) -> Sought:
    """The patient and study of an image, to ask a PACS for.

    Raises:
        UserError: it is no DICOM, or damaged.
    """
    header = _header(file)
    return Sought(patient_of(header), text(header, "IssuerOfPatientID"), text(header, "StudyInstanceUID"))


def is_there(path: Path, study_uid: str) -> bool:
    """Whether a file holds the whole object that its name says."""
    try:
        with path.open("rb") as file:
            found = read_object(file)
    except (OSError, UserError):
        return False
    return found.study_uid == study_uid and found.sop_uid == path.name.removesuffix(SUFFIX)


def _header(file: BinaryIO) -> FileHeader:
    return read_fast_header(file, frozenset(), KEPT) or read_header(file, TAGS)


def _check_end(file: BinaryIO, header: FileHeader) -> None:
    """Refuse a file whose pixel data end before they say. `file` is where the header has ended."""
    at = file.tell()
    head = file.read(12)
    size = file.seek(0, SEEK_END)
    if at == size:
        return  # without pixel data; whoever read the header has read all of it
    implicit = str(header.file_meta.TransferSyntaxUID) == _IMPLICIT
    if len(head) < (8 if implicit else 12):
        raise UserError("The object is cut off.")
    order = ">" if head[:2] == b"\x7f\xe0" else "<"
    if implicit:
        start, (length,) = at + 8, struct.unpack("<L", head[4:8])
    elif head[4:6] in _LONG:
        start, (length,) = at + 12, struct.unpack(f"{order}L", head[8:12])
    else:
        raise UserError("The object has no pixel data where they begin.")
    if length == _UNDEFINED:
        file.seek(max(start, size - 512))
        whole = file.read().rstrip(b"\0").endswith(_SEQUENCE_END.rstrip(b"\0"))
    else:
        whole = start + length <= size
    if not whole:
        raise UserError("The object is cut off.")
