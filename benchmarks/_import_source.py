"""Makes a folder to import: images of the sample archive with reports, and DICOM studies derived from real files.

Each derived image is a real one of pydicom-data shifted sideways, with new UIDs, and labelled so. Measures nothing.
"""

import csv
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

from benchmarks.viewer_data import real, write_series
from engine.resources import resource_path

REPORTS = "reports.csv"
RADIOGRAPH = "RG1_UNCR.dcm"
"""CR, 1955 x 1841."""
SLICES = 5
"""Of each CT study: as many as an import takes of a stack."""


def write_source(folder: Path, size: int) -> tuple[Path, Path]:
    """Write `size` pictures and half as many CT slices and radiographs together; the folder and its reports."""
    images = folder / "images"
    images.mkdir(parents=True)
    archive = resource_path("sample-archive")
    with (archive / "cases.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["text"]][:size]
    for row in rows:
        with Image.open(archive / row["image"]) as image:
            image.save(images / f"{Path(row['image']).stem}.png")
    with (folder / REPORTS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "text"))
        writer.writerows((f"{Path(row['image']).stem}.png", row["text"]) for row in rows)
    for study in range(size * 2 // 5 // SLICES):
        syntax = (ExplicitVRLittleEndian, JPEG2000Lossless)[study % 2]
        write_series(images / f"ct{study}", syntax, SLICES, first=SLICES * study)
    for number in range(size // 10):
        _radiograph(images / f"cr{number}.dcm", number)
    return images, folder / REPORTS


def _radiograph(path: Path, number: int) -> None:
    derived = real(RADIOGRAPH)
    derived.PixelData = np.roll(derived.pixel_array, 9 * number, axis=1).tobytes()
    derived.SOPInstanceUID = derived.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    derived.StudyInstanceUID, derived.SeriesInstanceUID = generate_uid(), generate_uid()
    derived.SeriesDescription, derived.PatientName = "derived for benchmarks", "Derived"
    derived.PatientID = f"derived {number}"
    derived.save_as(path)
