"""Writes many small DICOM files derived from real ones of pydicom, under new UIDs and labelled so. Measures nothing.

The header is that of the real file; the image is cut to 16 x 16 pixels, so that 100,000 files take a few hundred MB.
"""

import io
from pathlib import Path

from pydicom.dataset import FileDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from benchmarks.viewer_data import real

SOURCES = ("693_UNCR.dcm", "CT_small.dcm", "MR_small.dcm", "MR2_UNCR.dcm")
SLICES = 250
"""Of each study, which is one series."""
SIDE = 16
UID_LENGTH = 64


def write_files(folder: Path, count: int) -> None:
    """Write so many files, each study in a folder of its own and from another one of the sources than the last."""
    sources = [real(name) for name in SOURCES]
    for study in range(-(-count // SLICES)):
        below = folder / f"study{study:05}"
        below.mkdir(parents=True)
        template = _template(sources[study % len(sources)])
        for number in range(min(SLICES, count - study * SLICES)):
            (below / f"IM{number:04}").write_bytes(_slice(template, number))


def _template(source: FileDataset) -> tuple[bytes, UID]:
    """The bytes of a file with a Study and Series Instance UID of its own, and the SOP Instance UID to replace."""
    source.Rows = source.Columns = SIDE
    source.PixelData = bytes(SIDE * SIDE * source.BitsAllocated // 8)
    source["PixelData"].VR = "OW"
    source["PixelData"].is_undefined_length = False
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source.StudyInstanceUID, source.SeriesInstanceUID = generate_uid(), generate_uid()
    source.PatientName, source.PatientID = "Derived", "derived"
    source.StudyDescription = source.SeriesDescription = "derived for benchmarks"
    source.SOPInstanceUID = source.file_meta.MediaStorageSOPInstanceUID = _uid()
    source.InstanceNumber = 1
    source.ImagePositionPatient, source.ImageOrientationPatient = [-100, -100, 10000], [1, 0, 0, 0, 1, 0]
    buffer = io.BytesIO()
    source.save_as(buffer)
    return buffer.getvalue(), source.SOPInstanceUID


def _slice(template: tuple[bytes, UID], number: int) -> bytes:
    """The file of one slice; what differs between slices has the same length, so that no length changes."""
    data, uid = template
    return data.replace(uid.encode(), _uid().encode()).replace(rb"-100\-100\10000", rb"-100\-100\%5d" % (number + 1))


def _uid() -> UID:
    """A new UID of the greatest length."""
    uid = generate_uid()
    return UID(uid.ljust(UID_LENGTH, "1"))
