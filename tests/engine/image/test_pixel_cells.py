"""Where a sample lies in its cell (PS3.5 8.1.1), cells that are no whole bytes, and attributes that are missing."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from engine.dicom.coding.image_pixel import photometric
from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.pixels import Pixels, read_frame
from tests.engine.dicom_samples import dataset, derive

TRUE = dataset("CT_small.dcm").pixel_array.astype("<u2") & 0xFFF
"""Samples of 12 bits from a real CT, [128, 128]."""
NATIVE = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def written(path: Path, cells: NDArray[Any] | bytes, syntax: str = ExplicitVRLittleEndian, **changes: Any) -> Path:
    """A file derived from a real CT with these pixel cells (an array) or this value (bytes)."""
    derive(path, "CT_small.dcm", **({"PixelRepresentation": 0, "BitsStored": 12, "HighBit": 11} | changes))
    made = dcmread(path)
    data = cells if isinstance(cells, bytes) else cells.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB" if isinstance(cells, bytes) and syntax not in NATIVE else "OW"
    made["PixelData"].is_undefined_length = syntax not in NATIVE
    made.file_meta.TransferSyntaxUID = syntax
    big = syntax == ExplicitVRBigEndian
    if big:
        made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
        made.set_original_encoding(False, False, "ascii")
    made.save_as(path, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=not big)
    return path


def read(path: Path, frame: int = 0) -> Pixels:
    return read_frame(list(open_path(path).studies[0].frames())[frame])


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("high_bit", [11, 12, 13, 15])
def test_samples_lie_below_their_high_bit(tmp_path: Path, high_bit: int, syntax: str) -> None:
    noise = np.random.default_rng(1).integers(0, 1 << 16, TRUE.shape, np.uint16)
    beside = noise & ~np.uint16(0xFFF << (high_bit - 11) & 0xFFFF)  # old overlay planes, or nothing
    pixels = read(written(tmp_path / "a", TRUE << (high_bit - 11) | beside, syntax, HighBit=high_bit))
    assert np.array_equal(pixels.stored, TRUE)
    assert (pixels.values.min(), pixels.values.max()) == (TRUE.min() - 1024.0, TRUE.max() - 1024.0)


@pytest.mark.parametrize("high_bit", [11, 13, 15])
def test_signed_samples_keep_their_sign_below_any_high_bit(tmp_path: Path, high_bit: int) -> None:
    signed = TRUE.astype("<i2") - 2048
    cells = signed.view("<u2") << (high_bit - 11) & ((1 << (high_bit + 1)) - 1)
    path = written(tmp_path / "a", cells, HighBit=high_bit, PixelRepresentation=1)
    assert np.array_equal(read(path).stored, signed)


def test_samples_of_six_bits_in_a_byte(tmp_path: Path) -> None:
    true = (TRUE >> 6).astype("u1")
    path = written(tmp_path / "a", true << 2 | 1, BitsAllocated=8, BitsStored=6, HighBit=7)
    assert np.array_equal(read(path).stored, true)


def test_an_overlay_beside_left_aligned_samples_is_found(tmp_path: Path) -> None:
    mask = np.zeros(TRUE.shape, bool)
    mask[10:20, 30:50] = True
    path = written(tmp_path / "a", TRUE << 4 | mask.astype("<u2") << 1, HighBit=15)
    made = dcmread(path)
    made.add_new(0x60000010, "US", 128)
    made.add_new(0x60000011, "US", 128)
    made.add_new(0x60000040, "CS", "G")
    made.add_new(0x60000050, "SS", [1, 1])
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 1)
    made.save_as(path)
    pixels = read(path)
    assert np.array_equal(pixels.stored, TRUE)
    (plane,) = pixels.overlays
    assert np.array_equal(plane.bits, mask)


def test_a_bit_of_the_sample_itself_is_no_overlay(tmp_path: Path) -> None:
    path = written(tmp_path / "a", TRUE)
    made = dcmread(path)
    made.add_new(0x60000010, "US", 128)
    made.add_new(0x60000011, "US", 128)
    made.add_new(0x60000102, "US", 0)
    made.save_as(path)
    assert read(path).overlays == ()


@pytest.mark.parametrize("high_bit", [None, 3, 16, 40])
def test_an_impossible_high_bit_is_ignored(tmp_path: Path, high_bit: int | None) -> None:
    assert np.array_equal(read(written(tmp_path / "a", TRUE, HighBit=high_bit)).stored, TRUE)


def rle(cells: NDArray[Any]) -> bytes:
    options = {"rows": 128, "columns": 128, "samples_per_pixel": 1, "bits_allocated": 16, "bits_stored": 16}
    more = {"number_of_frames": 1, "pixel_representation": 0, "photometric_interpretation": "MONOCHROME2"}
    return RLELosslessEncoder.encode(cells, **options, **more)


def test_whole_cells_in_a_codestream_are_placed_by_high_bit_too(tmp_path: Path) -> None:
    cells = (TRUE << 4 | 5).astype("<u2")
    for name, syntax, code in (
        ("rle", RLELossless, rle(cells)),
        ("jls", JPEGLSLossless, imagecodecs.jpegls_encode(cells)),
    ):
        path = written(tmp_path / name, encapsulate([code]), syntax, HighBit=15)
        assert np.array_equal(read(path).stored, TRUE), name


def test_samples_alone_in_a_codestream_are_not_moved(tmp_path: Path) -> None:
    code = imagecodecs.jpeg2k_encode(TRUE, level=0, codecformat="j2k", reversible=True, bitspersample=12)
    path = written(tmp_path / "a", encapsulate([code]), JPEG2000Lossless, HighBit=15)
    assert np.array_equal(read(path).stored, TRUE)


def packed(samples: NDArray[Any], bits: int) -> bytes:
    """Cells of `bits` bits one after another, lowest bit first."""
    stream = sum(int(sample) << (bits * index) for index, sample in enumerate(samples.ravel()))
    return stream.to_bytes((samples.size * bits + 15) // 16 * 2, "little")


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_cells_that_are_no_whole_bytes_are_unpacked(tmp_path: Path, bits: int, syntax: str) -> None:
    true = TRUE[:31, :15] & ((1 << bits) - 1)  # an odd number of cells: later frames begin within a byte
    frames = np.stack([true, true[::-1], true[:, ::-1]])
    size = {"Rows": 31, "Columns": 15, "NumberOfFrames": 3, "BitsAllocated": bits}
    path = written(tmp_path / "a", packed(frames, bits), syntax, **size, BitsStored=bits, HighBit=bits - 1)
    for index in range(3):
        assert np.array_equal(read(path, index).stored, frames[index]), index


def test_packed_cells_that_end_too_early_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a", packed(TRUE[:64], 12), BitsAllocated=12)
    with pytest.raises(UserError, match="damaged or truncated"):
        read(path)


def test_a_gray_image_without_samples_per_pixel_is_shown(tmp_path: Path) -> None:
    assert np.array_equal(read(written(tmp_path / "a", TRUE, SamplesPerPixel=None)).stored, TRUE)


def test_a_color_image_without_samples_per_pixel_has_three(tmp_path: Path) -> None:
    derive(tmp_path / "a", "examples_rgb_color.dcm", SamplesPerPixel=None)
    derive(tmp_path / "b", "examples_rgb_color.dcm")
    assert np.array_equal(read(tmp_path / "a").stored, read(tmp_path / "b").stored)


@pytest.mark.parametrize("missing", ["BitsStored", "HighBit"])
def test_bits_that_are_missing_follow_from_the_others(tmp_path: Path, missing: str) -> None:
    assert np.array_equal(read(written(tmp_path / "a", TRUE, **{missing: None})).stored, TRUE)


def test_a_missing_sign_of_16_bits_could_mean_two_things_and_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a", TRUE, PixelRepresentation=None)
    with pytest.raises(UserError):
        read(path)


@pytest.mark.parametrize("word", ["monochrome1", "MonoChrome1", "MONOCHROME 1", "MONOCHROME_1", "MONCHROME1"])
def test_a_misspelt_photometric_interpretation_is_the_one_it_can_mean(tmp_path: Path, word: str) -> None:
    path = written(tmp_path / "a", TRUE)
    made = dcmread(path)
    made["PhotometricInterpretation"]._value = word  # pydicom refuses to write it otherwise
    made.save_as(path)
    pixels = read(path)
    assert np.array_equal(pixels.stored, TRUE)
    assert pixels.inverted


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("rgb", "RGB"),
        ("Ybr_Full_422", "YBR_FULL_422"),
        ("YBR FULL", "YBR_FULL"),
        ("palette_color", "PALETTE COLOR"),
        ("MONOCHROME", "MONOCHROME"),
        ("GRAY", "GRAY"),
        ("", ""),
    ],
)
def test_what_is_close_to_no_single_term_stays(written: str, read: str) -> None:
    made = dataset("CT_small.dcm")
    made["PhotometricInterpretation"]._value = written
    assert photometric(made) == read
