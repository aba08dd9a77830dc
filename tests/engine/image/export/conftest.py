"""A study with made-up identifiers planted wherever DICOM can hold some."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from tests.engine.dicom_samples import dataset

PLANTED = ("QUIXANO", "ALONSO", "PANZA", "LAMANCHA", "ROCINANTE", "16050116", "Q4711Z", "ACC90210", "2.25.4711")
"""What no byte of an export may hold; the first two are the patient's names."""
PATIENT, HOSPITAL = "QUIXANO^ALONSO", "LAMANCHA CLINIC"


def nested(depth: int) -> Sequence:
    """Sequences within sequences, each with identifiers."""
    item = Dataset()
    item.PatientName, item.PatientID, item.StudyDate = PATIENT, "Q4711Z", "16050116"
    item.CodeMeaning, item.InstitutionName, item.RetrieveAETitle = "seen by PANZA", HOSPITAL, "ROCINANTE"
    item.add(DataElement(0x00091001, "LO", "PANZA"))
    if depth:
        item.AnatomicRegionSequence = nested(depth - 1)
        item.RequestAttributesSequence = nested(depth - 1)
    return Sequence([item])


def planted(path: Path, name: str = "CT_small.dcm", **changes: Any) -> Path:
    """A file derived from a real one, with identifiers in every kind of element."""
    made = dataset(name)
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = f"2.25.4711{zlib.crc32(path.name.encode())}"
    made.PatientName, made.PatientID, made.PatientBirthDate = PATIENT, "Q4711Z", "16050116"
    made.OtherPatientIDs, made.AccessionNumber, made.StudyID = "Q4711Z", "ACC90210", "Q4711Z"
    made.InstitutionName, made.StationName, made.OperatorsName = HOSPITAL, "ROCINANTE", "PANZA^SANCHO"
    made.StudyDate = made.SeriesDate = made.ContentDate = made.AcquisitionDate = "16050116"
    made.AcquisitionDateTime, made.FrameOfReferenceUID = "16050116120000", "2.25.47114"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.47112", "2.25.47113"
    made.StudyDescription = made.ImageComments = made.PatientComments = "QUIXANO of LAMANCHA, rides ROCINANTE"
    # these stay in a header by the table, but for what stands in them here
    made.SoftwareVersions, made.ConvolutionKernel, made.BodyPartExamined = "for QUIXANO", "PANZA", "ALONSO"
    made.ManufacturerModelName, made.ImageType = "ROCINANTE^PANZA", ["ORIGINAL", "PRIMARY", "QUIXANO"]
    made.PurposeOfReferenceCodeSequence = made.AnatomicRegionSequence = nested(2)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = made.SOPClassUID, "2.25.47115"
    made.ReferencedImageSequence = Sequence([reference])
    block = made.private_block(0x0029, "ROCINANTE", create=True)
    block.add_new(0x10, "LO", "QUIXANO")
    block.add_new(0x11, "SQ", nested(1))
    made.add(DataElement(0x60000010, "US", 8))
    made.add(DataElement(0x60000011, "US", 8))
    made.add(DataElement(0x60000022, "LO", "QUIXANO"))
    made.add(DataElement(0x60003000, "OW", b"PANZA..."))
    made.add(DataElement(0x60020022, "LO", "QUIXANO"))
    made.add(DataElement(0x50003000, "OW", b"PANZA.LAMANCHA.."))
    made.add(DataElement(0x40080100, "LO", "PANZA"))
    made.add(DataElement(0x00080108, "LT", "PANZA"))  # no element of the data dictionary
    made.add(DataElement(0x04000500, "SQ", Sequence([encrypted()])))
    made.add(DataElement(0xFFFCFFFC, "OB", b"QUIXANO."))
    made.file_meta.SourceApplicationEntityTitle = "ROCINANTE"
    made.file_meta.PrivateInformationCreatorUID, made.file_meta.PrivateInformation = "2.25.47116", b"QUIXANO."
    made.preamble = b"QUIXANO".ljust(128, b"\0")
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save_as(path)
    return path


def encrypted() -> Dataset:
    item = Dataset()
    item.EncryptedContentTransferSyntaxUID, item.EncryptedContent = generate_uid(), b"QUIXANO."
    return item


def written_into_pixels(text: str = "QUIXANO^ALONSO") -> dict[str, Any]:
    """Values of a CT with a name in its pixels, white on black as consoles write it."""
    with Image.new("L", (512, 256), 0) as image:
        draw = ImageDraw.Draw(image)
        draw.ellipse((150, 60, 360, 240), fill=90)
        draw.text((20, 12), text, font=ImageFont.load_default(20), fill=255)
        gray = np.array(image)
    stored = (gray.astype(np.int16) * 8).astype("<i2")
    return {"PixelData": stored.tobytes(), "Rows": 256, "Columns": 512}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A folder with two images of one series that name a patient in every way, the second also in its pixels."""
    folder = tmp_path / "study"
    planted(folder / "a.dcm", InstanceNumber=1)
    planted(folder / "b.dcm", InstanceNumber=2, **written_into_pixels())
    return folder
