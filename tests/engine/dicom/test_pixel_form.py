"""The form of the pixel data beats their label; what neither settles is refused by name. All files derived."""

import struct
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
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from engine.dicom.listing import open_path
from engine.errors import UserError
from engine.image.marks import lossy_mark
from engine.image.pixels import read_frame
from engine.study import FrameRef
from tests.engine.dicom_samples import dataset, derive, sample

NATIVE = dataset("CT_small.dcm").pixel_array.astype("<u2")
"""Stored values of a real CT, 128 x 128, 16 bits."""


def coded(path: Path, frames: list[bytes], label: str, defined: bool = False, **changes: Any) -> Path:
    """A file derived from a real CT whose pixel data are these codestreams, under any transfer syntax."""
    derive(path, "CT_small.dcm", PixelRepresentation=0, NumberOfFrames=len(frames), **changes)
    made = dcmread(path)
    made.file_meta.TransferSyntaxUID = JPEGLSLossless
    made.PixelData = encapsulate(frames)
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    made.save_as(path, enforce_file_format=True)
    relabel(path, label)
    if defined:
        data = path.read_bytes()
        at = data.rindex(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff") + 8
        path.write_bytes(data[:at] + struct.pack("<L", len(data) - at - 12) + data[at + 4 : -8])
    return path


def relabel(path: Path, syntax: str) -> Path:
    """Change the transfer syntax in the file meta information alone, as broken senders do."""
    data = path.read_bytes()
    at = data.index(b"\x02\x00\x10\x00UI", 132)
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    new = syntax.encode() + b"\0" * (len(syntax) % 2)
    group = int.from_bytes(data[140:144], "little") + len(new) - length
    body = data[:at] + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(new)) + new + data[at + 8 + length :]
    path.write_bytes(body[:140] + struct.pack("<L", group) + body[144:])
    return path


def frames_of(path: Path) -> list[FrameRef]:
    return list(open_path(path).studies[0].frames())


def stored(path: Path, frame: int = 0) -> NDArray[Any]:
    return read_frame(frames_of(path)[frame]).stored


def rle(array: NDArray[Any]) -> bytes:
    rows, columns = array.shape
    options = {"rows": rows, "columns": columns, "samples_per_pixel": 1, "bits_allocated": 16, "bits_stored": 16}
    more = {"number_of_frames": 1, "pixel_representation": 0, "photometric_interpretation": "MONOCHROME2"}
    return RLELosslessEncoder.encode(array, **options, **more)


CODECS = {
    "JPEG-LS": imagecodecs.jpegls_encode,
    "JPEG 2000": lambda array: imagecodecs.jpeg2k_encode(array, level=0, codecformat="j2k", reversible=True),
    "JPEG Lossless": lambda array: imagecodecs.ljpeg_encode(array, bitspersample=16),
    "RLE": rle,
}


@pytest.mark.parametrize("label", [ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, JPEGBaseline8Bit])
@pytest.mark.parametrize("codec", CODECS)
def test_codestreams_are_decoded_by_what_they_are_under_any_label(tmp_path: Path, codec: str, label: str) -> None:
    true = [NATIVE, NATIVE[::-1].copy()]
    path = coded(tmp_path / "a", [CODECS[codec](one) for one in true], label)
    assert np.array_equal(stored(path, 0), true[0])
    assert np.array_equal(stored(path, 1), true[1])


@pytest.mark.parametrize("label", [ExplicitVRLittleEndian, JPEG2000Lossless])
def test_encapsulated_data_of_defined_length_are_never_shown_as_pixels(tmp_path: Path, label: str) -> None:
    frames = [CODECS["JPEG-LS"](NATIVE)] * 2
    assert np.array_equal(stored(coded(tmp_path / "a", frames, label, defined=True), 1), NATIVE)


@pytest.mark.parametrize("label", [ExplicitVRLittleEndian, JPEGLSLossless])
def test_a_bare_codestream_without_items_is_decoded(tmp_path: Path, label: str) -> None:
    path = derive(tmp_path / "a", "CT_small.dcm", PixelRepresentation=0)
    made = dcmread(path)
    code = CODECS["JPEG-LS"](NATIVE)
    made.PixelData = code + b"\0" * (len(code) % 2)
    made.save_as(path)
    assert np.array_equal(stored(relabel(path, label)), NATIVE)


@pytest.mark.parametrize("label", [ExplicitVRLittleEndian, "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_coded_bytes_of_no_known_codec_under_a_native_label_are_refused(tmp_path: Path, label: str) -> None:
    path = coded(tmp_path / "a", [b"\x12\x34" * 40000] * 2, ExplicitVRLittleEndian)
    listing = open_path(path)
    assert listing.studies == ()
    (rejected,) = listing.rejected
    assert "compressed in an unknown way" in rejected.reason


def test_a_lossy_codestream_under_a_native_label_is_marked_as_lossy(tmp_path: Path) -> None:
    eight = (NATIVE >> 4).astype(np.uint8)
    shape = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    path = coded(tmp_path / "a", [imagecodecs.jpeg8_encode(eight, level=95)], ExplicitVRLittleEndian, **shape)
    (frame,) = frames_of(path)
    assert frame.image.transfer_syntax == JPEGBaseline8Bit
    assert lossy_mark(frame.image) == "Lossy compression"
    assert np.abs(read_frame(frame).stored.astype(int) - eight).mean() < 4


@pytest.mark.parametrize("label", [JPEGLSLossless, JPEG2000Lossless, RLELossless, JPEGBaseline8Bit])
def test_native_pixels_under_a_compressed_label_are_shown(tmp_path: Path, label: str) -> None:
    path = relabel(derive(tmp_path / "a", "CT_small.dcm", PixelRepresentation=0), label)
    assert np.array_equal(stored(path), NATIVE)


def test_a_frame_beyond_the_pixel_data_is_refused_even_when_the_file_goes_on(tmp_path: Path) -> None:
    path = derive(tmp_path / "a", "CT_small.dcm", NumberOfFrames=2, DataSetTrailingPadding=b"\1" * (1 << 16))
    first, second = frames_of(path)
    assert read_frame(first).stored.shape == (128, 128)
    with pytest.raises(UserError, match="Frame 2 cannot be decoded"):
        read_frame(second)


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
        ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression"),
        ("1.2.840.10008.1.2.4.112", "JPEG XL"),
        ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression"),
        ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
        ("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian"),
        ("1.2.840.10008.1.2.4.999", "The unknown transfer syntax 1.2.840.10008.1.2.4.999"),
        ("1.3.6.1.4.1.5962.300.9", "The unknown transfer syntax 1.3.6.1.4.1.5962.300.9"),
        ("1.2.840.113619.5.2", "Implicit VR Big Endian (GE, private)"),
    ],
)
@pytest.mark.parametrize("native", [True, False])
def test_every_transfer_syntax_that_is_not_read_is_refused_by_name(
    tmp_path: Path, syntax: str, name: str, native: bool
) -> None:
    path = tmp_path / "a"
    relabel(derive(path, "CT_small.dcm"), syntax) if native else coded(path, [b"\xff\x0a" + b"\7" * 1600], syntax)
    listing = open_path(path)
    assert listing.studies == ()
    assert [one.reason for one in listing.rejected] == [f"{name} is not supported; export the image uncompressed."]


@pytest.mark.parametrize("syntax", ["1.3.6.1.4.1.5962.300.9", "1.2.840.10008.1.2.4.205"])
def test_a_dataset_that_only_its_unknown_transfer_syntax_could_read_is_refused_by_name(
    tmp_path: Path, syntax: str
) -> None:
    path = relabel(derive(tmp_path / "a", "CT_small.dcm"), syntax)
    data = path.read_bytes()
    at = data.index(b"\x08\x00", data.index(syntax.encode()))
    path.write_bytes(data[:at] + np.random.default_rng(2).bytes(5000))
    (rejected,) = open_path(path).rejected
    assert "is not supported" in rejected.reason


@pytest.mark.parametrize("label", ["", "1.2.840.10008.5.1.4.1.1.2", "garbage"])
def test_a_label_that_is_no_transfer_syntax_at_all_is_replaced_by_the_encoding_found(
    tmp_path: Path, label: str
) -> None:
    assert np.array_equal(stored(relabel(derive(tmp_path / "a", "CT_small.dcm"), label)), NATIVE.view("<i2"))


def test_jpeg_xl_under_another_label_is_refused_by_name(tmp_path: Path) -> None:
    path = coded(tmp_path / "a", [b"\xff\x0a" + bytes(range(200))], ExplicitVRLittleEndian)
    (rejected,) = open_path(path).rejected
    assert rejected.reason == "JPEG XL is not supported; export the image uncompressed."


def test_real_files_keep_their_label() -> None:
    for name in ("MR_small_RLE.dcm", "JPEG2000.dcm", "JPEG-LL.dcm", "JPGExtended.dcm", "MR_small_jpeg_ls_lossless.dcm"):
        (frame,) = frames_of(sample(name))
        assert frame.image.transfer_syntax == dataset(name).file_meta.TransferSyntaxUID
