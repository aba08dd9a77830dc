"""Pixel values of real files equal those of DCMTK, an independent decoder, bit by bit."""

import hashlib
import json

import numpy as np
import pytest

from engine.dicom.listing import open_path
from engine.image.pixels import read_frame
from tests.engine.dicom_samples import dataset, sample
from tests.engine.image.dcmtk_values import FILES, RECORD

RECORDED = json.loads(RECORD.read_text("utf-8"))["files"]


def test_every_listed_file_is_recorded() -> None:
    assert set(RECORDED) == set(FILES)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_stored_values_equal_those_of_dcmtk(name: str) -> None:
    header = dataset(name)
    kind = np.dtype(f"{'<i' if header.PixelRepresentation else '<u'}{header.BitsAllocated // 8}")
    slope = float(header.get("DoseGridScaling", header.get("RescaleSlope", 1)))
    intercept = float(header.get("RescaleIntercept", 0))
    frames = sorted(open_path(sample(name)).studies[0].frames(), key=lambda ref: ref.frame)
    stored = [np.rint((read_frame(ref).values.astype(float) - intercept) / slope).astype(kind) for ref in frames]
    found = b"".join(frame.tobytes() for frame in stored)
    assert len(found) <= RECORDED[name]["bytes"] <= len(found) + 1  # DICOM pads to an even length
    padded = found.ljust(RECORDED[name]["bytes"], b"\0")
    assert hashlib.sha256(padded).hexdigest() == RECORDED[name]["sha256"]
