"""Lookup tables have the same values in every encoding (PS3.5 7.3, PS3.3 C.7.6.3.1.6, C.11.1)."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmwrite
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from engine.dicom.listing import open_path
from engine.image.pixels import Pixels, read_frame
from engine.image.window import render
from tests.engine.dicom_samples import dataset

ENCODINGS = [ExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian]
COLORS = {"Red": [0, 0x1122, 0x8000, 0xFF00], "Green": [0, 0x2211, 0, 0x0100], "Blue": [0, 0x3344, 0, 0x0200]}
SHOWN = [[0, 0, 0], [0x11, 0x22, 0x33], [0x80, 0, 0], [0xFF, 0x01, 0x02]]
encoded = pytest.mark.parametrize("syntax", ENCODINGS, ids=[syntax.keyword for syntax in ENCODINGS])


def words(values: list[int], syntax: UID) -> bytes:
    return np.array(values).astype("<u2" if syntax.is_little_endian else ">u2").tobytes()


def table(values: list[int], syntax: UID, first: int = 0, bits: int = 16) -> Dataset:
    """An item of a Modality or VOI LUT Sequence with its data as OW."""
    lut = Dataset()
    lut.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(values), first, bits])
    lut.add_new("LUTData", "OW", words(values, syntax))
    return lut


def image(syntax: UID, **changes: Any) -> Dataset:
    """A gray 2 x 2 image with the stored values 0 to 3, to be written by `read`."""
    made = dataset("MR_small.dcm")
    made.file_meta.TransferSyntaxUID = syntax
    for keyword in ("WindowCenter", "WindowWidth", "PixelPaddingValue", "LargestImagePixelValue"):
        if keyword in made:
            del made[keyword]
    made.SmallestImagePixelValue = 0
    made.Rows = made.Columns = 2
    made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 15, 0
    made.PixelData = words([0, 1, 2, 3], syntax)
    for keyword, value in changes.items():
        setattr(made, keyword, value)
    return made


def read(path: Path, made: Dataset) -> Pixels:
    syntax = made.file_meta.TransferSyntaxUID
    list(made.iterall())  # parsed, so that numbers are written in the other byte order
    dcmwrite(path, made, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    (ref,) = open_path(path).studies[0].frames()
    return read_frame(ref)


def with_palette(made: Dataset, first: int) -> Dataset:
    syntax = made.file_meta.TransferSyntaxUID
    for color, values in COLORS.items():
        made.add_new(f"{color}PaletteColorLookupTableDescriptor", "US", [4, first, 16])
        made.add_new(f"{color}PaletteColorLookupTableData", "OW", words(values, syntax))
    return made


@encoded
def test_a_modality_table_gives_its_values(tmp_path: Path, syntax: UID) -> None:
    lut = table([10, 20, 30, 40], syntax)
    lut.ModalityLUTType = "HU"
    found = read(tmp_path / "x", image(syntax, ModalityLUTSequence=[lut]))
    assert found.values.tolist() == [[10, 20], [30, 40]]


@encoded
def test_entries_of_one_byte_lie_two_in_a_word(tmp_path: Path, syntax: UID) -> None:
    lut = table([10 + (20 << 8), 30 + (40 << 8)], syntax, bits=8)
    lut.LUTDescriptor = [4, 0, 8]
    found = read(tmp_path / "x", image(syntax, ModalityLUTSequence=[lut]))
    assert found.values.tolist() == [[10, 20], [30, 40]]


@encoded
def test_a_palette_gives_its_colours(tmp_path: Path, syntax: UID) -> None:
    made = with_palette(image(syntax, PhotometricInterpretation="PALETTE COLOR"), first=0)
    assert read(tmp_path / "x", made).values.reshape(4, 3).tolist() == SHOWN


@encoded
def test_supplemental_colours_are_painted_over_the_gray_values(tmp_path: Path, syntax: UID) -> None:
    made = with_palette(image(syntax, PixelPresentation="COLOR"), first=100)
    made.PixelData = words([100, 101, 102, 103], syntax)
    painted = read(tmp_path / "x", made).supplemental_colors
    assert painted is not None
    assert painted[1].reshape(4, 3).tolist() == SHOWN


@encoded
@pytest.mark.parametrize("first", [-2, 0])
def test_a_voi_table_begins_at_its_first_value(tmp_path: Path, syntax: UID, first: int) -> None:
    """Implicit VR does not say whether the first value has a sign: it has one where values may be negative."""
    lut = table([0, 85, 170, 255], syntax, first, bits=8)
    made = image(syntax, VOILUTSequence=[lut], RescaleSlope="1", RescaleIntercept=str(first))
    found = read(tmp_path / "x", made)
    assert found.voi_luts[0].first == first
    assert render(found).tolist() == [[0, 85], [170, 255]]


@encoded
@pytest.mark.parametrize("intercept", ["0", "-1024"])
def test_a_high_first_value_stays_where_values_are_as_high(tmp_path: Path, syntax: UID, intercept: str) -> None:
    lut = table([0, 85, 170, 255], syntax, first=40000, bits=8)
    made = image(syntax, VOILUTSequence=[lut], RescaleSlope="1", RescaleIntercept=intercept)
    assert read(tmp_path / "x", made).voi_luts[0].first == 40000
