"""What an exported DICOM document shares whatever its kind: identity of the study, evidence, label, bytes.

highdicom builds and checks the documents. Importing it takes a quarter of a second, left until one is written.
"""

from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from engine.dicom.file import read_header
from engine.dicom.values import text
from engine.reports.export.exported_report import LABEL, ExportedReport

MANUFACTURER = "Kindred"
UNICODE = "ISO_IR 192"
"""Defined term of UTF-8 (PS3.3 C.12.1.1.2)."""
SERIES_NUMBERS = {"SR": 9001, "KO": 9002}
"""Beyond those that modalities give out."""


def evidence(report: ExportedReport) -> list[Dataset]:
    """The images that the document is about, as far as a reference needs them, with empty identity.

    Raises:
        UserError: another patient has the Study Instance UID too.
    """
    found = []
    for series, image in report.images():
        one = Dataset()
        one.SpecificCharacterSet = UNICODE
        one.StudyInstanceUID, one.SeriesInstanceUID = report.study_uid, series.uid
        one.SOPInstanceUID, one.SOPClassUID = image.sop_uid, image.sop_class
        one.Rows, one.Columns = image.rows, image.columns  # by which highdicom knows an image
        one.PatientID = one.PatientName = one.PatientBirthDate = one.PatientSex = ""
        one.AccessionNumber = one.StudyID = one.StudyDate = one.StudyTime = ""
        found.append(one)
    return found


def arguments(kind: str) -> dict[str, Any]:
    """Arguments that highdicom's documents have in common; each document is a series of its own."""
    return {
        "series_instance_uid": generate_uid(prefix=None),
        "series_number": SERIES_NUMBERS[kind],
        "sop_instance_uid": generate_uid(prefix=None),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": MANUFACTURER,
        "series_description": LABEL,
    }


def identified(document: Dataset, report: ExportedReport) -> bytes:
    """The file of a document that gets the identity of its study, as its images state it."""
    study, patient = report.study, report.study.patient
    document.PatientName, document.PatientID = patient.name, patient.id
    document.PatientBirthDate, document.PatientSex = patient.birth_date, patient.sex
    document.AccessionNumber, document.StudyDescription = study.accession, study.description
    document.StudyDate, document.StudyTime = study.date, study.time
    with study.series[0].frames[0].image.origin.open() as file:
        header = read_header(file, ["StudyID", "ReferringPhysicianName", "IssuerOfPatientID", "SpecificCharacterSet"])
    for keyword in ("StudyID", "ReferringPhysicianName", "IssuerOfPatientID"):
        value = text(header, keyword)
        if value or keyword != "IssuerOfPatientID":  # the others must be there (PS3.3 C.7.2.1), if empty
            setattr(document, keyword, value)
    document.ContentDate, document.ContentTime = f"{report.time:%Y%m%d}", f"{report.time:%H%M%S}"
    document.SeriesDate, document.SeriesTime = document.ContentDate, document.ContentTime
    buffer = BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
