"""Decoders that release the GIL: exact values, with the sign given by the header."""

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.encaps import get_frame
from pydicom.pixels import get_encoder
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLSLossless,
    RLELossless,
)

from engine.dicom.coding.codestreams import PixelFormat, decodable, decode_codestream
from tests.engine.dicom_samples import dataset


def pixel_format(array: NDArray[np.generic], bits: int, signed: bool, photometric: str = "MONOCHROME2") -> PixelFormat:
    samples = 3 if array.ndim == 3 else 1
    return PixelFormat(*array.shape[:2], samples, 8 * array.dtype.itemsize, bits, signed, photometric)


def ramp(kind: str, low: int, high: int) -> NDArray[np.generic]:
    return np.linspace(low, high, 40 * 50).astype(kind).reshape(40, 50)


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless, RLELossless])
@pytest.mark.parametrize(("kind", "bits", "low", "high"), [("<i2", 12, -2048, 2047), ("<u2", 14, 0, 16383)])
def test_signed_and_unsigned_values_come_back_exactly(syntax: str, kind: str, bits: int, low: int, high: int) -> None:
    wanted = ramp(kind, low, high)
    plugin = {JPEGLSLossless: "pyjpegls"}.get(syntax, "pylibjpeg")
    data = get_encoder(syntax).encode(
        wanted.tobytes(),
        index=0,
        encoding_plugin=plugin,
        rows=40,
        columns=50,
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=bits,
        pixel_representation=int(low < 0),
        number_of_frames=1,
    )
    found, photometric = decode_codestream(data, syntax, pixel_format(wanted, bits, low < 0))
    assert np.array_equal(found, wanted)
    assert found.dtype == wanted.dtype
    assert photometric == "MONOCHROME2"


def test_lossless_jpeg_keeps_sixteen_bits_and_colours_as_they_are() -> None:
    gray = ramp("<u2", 0, 65535)
    data = imagecodecs.jpeg8_encode(gray, lossless=True, bitspersample=16)
    assert np.array_equal(decode_codestream(data, JPEGLossless, pixel_format(gray, 16, False))[0], gray)
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    data = imagecodecs.jpeg8_encode(colours, lossless=True, colorspace="RGB", outcolorspace="RGB")
    found, photometric = decode_codestream(data, JPEGLossless, pixel_format(colours, 8, False, "RGB"))
    assert np.array_equal(found, colours)
    assert photometric == "RGB"


def test_twelve_bit_jpeg_is_decoded_without_output_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    whole = dataset("JPGExtended.dcm")
    data = get_frame(whole.PixelData, 0, number_of_frames=1)
    form = PixelFormat(whole.Rows, whole.Columns, 1, 16, 12, False, "MONOCHROME2")
    found, _ = decode_codestream(data, JPEGExtended12Bit, form)
    assert (found.shape, int(found.min()), int(found.max())) == ((1024, 256), 0, 264)
    assert capfd.readouterr() == ("", "")


def test_a_frame_of_another_size_than_the_header_says_is_refused() -> None:
    data = imagecodecs.jpeg2k_encode(ramp("<u2", 0, 4000), level=0)
    with pytest.raises(ValueError, match="the header says"):
        decode_codestream(data, JPEG2000Lossless, PixelFormat(50, 40, 1, 16, 12, False, "MONOCHROME2"))


def test_other_formats_are_left_to_pydicom() -> None:
    assert not decodable(RLELossless, PixelFormat(4, 4, 3, 8, 8, False, "RGB"))
    assert not decodable(JPEGExtended12Bit, PixelFormat(4, 4, 1, 8, 8, False, "MONOCHROME2"))
    assert not decodable(RLELossless, PixelFormat(4, 4, 1, 32, 32, False, "MONOCHROME2"))
