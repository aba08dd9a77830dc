"""Makes the series for the viewer benchmark, derived from one real CT slice of pydicom-data. Measures nothing.

Every slice is the real one shifted sideways by a multiple of its number, with new UIDs and "derived" in its
description, so that no two are equal and none can be mistaken for a patient's.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless, generate_uid

SYNTAXES: dict[str, UID] = {
    "uncompressed": ExplicitVRLittleEndian,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
    "RLE": RLELossless,
}
_PLUGINS = {JPEGLSLossless: "pyjpegls", JPEG2000Lossless: "pylibjpeg", RLELossless: "pylibjpeg"}
SLICE = "693_UNCR.dcm"
"""CT, 512 x 512, signed 16 bit, rescaled to HU."""


def real(name: str) -> FileDataset:
    """A real file of pydicom or pydicom-data."""
    path = get_testdata_file(name, download=False)
    if not path:
        raise FileNotFoundError(f"{name} is missing: install pydicom-data")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(str(path))


def write_series(folder: Path, syntax: UID, count: int, rows: int = 0, columns: int = 0, first: int = 0) -> list[Path]:
    """Write `count` derived slices in their order along the body; names are shuffled against that order.

    Args:
        rows, columns: repeat or cut the real slice to this size; 0 keeps its own.
        first: number of the first slice in its shift, so that the slices of several series differ.
    """
    source = real(SLICE)
    stored = source.pixel_array
    if rows and columns:
        stored = np.tile(stored, (-(-rows // stored.shape[0]), -(-columns // stored.shape[1])))[:rows, :columns]
    folder.mkdir(parents=True, exist_ok=True)
    names = np.random.default_rng(0).permutation(count)
    series, study = generate_uid(), generate_uid()
    written = []
    for number in range(count):
        path = folder / f"slice{names[number]:04}.dcm"
        shifted = np.roll(stored, 3 * (first + number), axis=1)
        _slice(source, shifted, number, series, study, syntax).save_as(path)
        written.append(path)
    return written


def _slice(source: FileDataset, stored: NDArray[Any], number: int, series: UID, study: UID, syntax: UID) -> FileDataset:
    derived = source
    derived.Rows, derived.Columns = stored.shape
    derived.SOPInstanceUID = derived.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    derived.StudyInstanceUID, derived.SeriesInstanceUID = study, series
    derived.SeriesDescription, derived.PatientName, derived.PatientID = "derived for benchmarks", "Derived", "derived"
    derived.InstanceNumber = number + 1
    derived.ImagePositionPatient = [-200.0, -200.0, 1.25 * number]
    derived.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    derived.file_meta.TransferSyntaxUID = syntax
    plain = np.ascontiguousarray(stored).tobytes()
    if not syntax.is_compressed:
        derived.PixelData = plain
        derived["PixelData"].VR = "OW"
        return derived
    encoder = get_encoder(syntax)
    options = {
        "rows": stored.shape[0],
        "columns": stored.shape[1],
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": int(derived.BitsStored),
        "pixel_representation": int(derived.PixelRepresentation),
        "number_of_frames": 1,
    }
    encoded = encoder.encode(plain, index=0, encoding_plugin=_PLUGINS[syntax], **options)
    derived.PixelData = encapsulate([encoded])
    derived["PixelData"].VR = "OB"
    derived["PixelData"].is_undefined_length = True
    return derived
