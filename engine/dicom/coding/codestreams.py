"""Decodes one compressed frame without blocking other threads. Knows no files, no modality values, no windows.

imagecodecs (CharLS, OpenJPEG, libjpeg-turbo) releases the GIL while it decodes; pydicom's own plugins for the same
libraries hold it for the whole frame, 80 to 150 ms for 3000 x 2500 pixels, during which the user interface freezes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import convert_color_space
from pydicom.pixels.utils import get_j2k_parameters
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from engine.dicom.coding.jpeg_check import jpeg_fault, jpeg_ls_fault


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """Size and sample format of a frame (Image Pixel Module, PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str

    @classmethod
    def of(cls, options: dict[str, Any]) -> "PixelFormat":
        """The pixel format in pydicom's decoding options.

        Raises:
            KeyError, TypeError, ValueError: a value is missing or invalid.
        """
        return cls(
            rows=int(options["rows"]),
            columns=int(options["columns"]),
            samples=int(options["samples_per_pixel"]),
            bits_allocated=int(options["bits_allocated"]),
            bits_stored=int(options["bits_stored"]),
            signed=int(options["pixel_representation"]) == 1,
            photometric=str(options["photometric_interpretation"]),
        )

    @property
    def frame_bits(self) -> int:
        """Bits of a native frame; colors may share their chrominance (PS3.3 C.7.6.3.1.2)."""
        halves = 2 * self.samples
        if self.samples == 3 and self.photometric.endswith(("_422", "_420")):
            halves = 4 if self.photometric.endswith("_422") else 3
        return self.rows * self.columns * self.bits_allocated * halves // 2

    @property
    def kind(self) -> str:
        """NumPy's letter for the type of the stored values: "i" signed, "u" unsigned."""
        return "i" if self.signed else "u"


_Array = NDArray[Any]


def has_decoder(syntax: UID) -> bool:
    """Whether imagecodecs was built with the decoder that `decode_codestream` uses for this transfer syntax."""
    return syntax in _CODECS and bool(getattr(imagecodecs, _CODECS[syntax]).available)


def decodable(syntax: UID, pixel_format: PixelFormat) -> bool:
    """Whether `decode_codestream` supports such frames; it does not for color RLE and 8-bit JPEG."""
    if pixel_format.samples not in (1, 3) or pixel_format.bits_allocated not in (8, 16):
        return False
    if syntax in (RLELossless, JPEGExtended12Bit) and pixel_format.samples == 3:
        return False
    return syntax in _DECODERS and not (syntax == JPEGExtended12Bit and pixel_format.bits_stored <= 8)


def decode_codestream(data: bytes, syntax: UID, pixel_format: PixelFormat) -> tuple[_Array, str]:
    """Decode one frame.

    Returns:
        stored values [H, W], signed as in the header, or [H, W, 3], and their photometric interpretation.

    Raises:
        Exception: the codestream is damaged; the libraries document no types.
    """
    array, precision, signed = _DECODERS[syntax](data, pixel_format)
    shape = (
        (pixel_format.rows, pixel_format.columns)
        if pixel_format.samples == 1
        else (pixel_format.rows, pixel_format.columns, 3)
    )
    if array.shape != shape or array.dtype.kind not in "iu" or array.dtype.itemsize > 2:
        raise ValueError(f"the codestream has {array.shape} {array.dtype}, but the header says {shape}")
    if pixel_format.samples == 3:
        return _to_rgb(array, pixel_format.photometric)
    corrected = array.view(f"{pixel_format.kind}{array.dtype.itemsize}")
    bits = 8 * array.dtype.itemsize
    if pixel_format.signed != signed and precision < bits:
        _keep_bits(corrected, precision)
    elif pixel_format.bits_stored < pixel_format.bits_allocated == bits:
        _keep_bits(corrected, pixel_format.bits_stored)
    return corrected, pixel_format.photometric


def _keep_bits(array: _Array, bits: int) -> None:
    """Clear the bits above the lowest `bits`, in place; signed values are sign-extended from the highest kept bit."""
    shift = 8 * array.dtype.itemsize - bits
    np.left_shift(array, shift, out=array)
    np.right_shift(array, shift, out=array)


def _to_rgb(array: _Array, photometric: str) -> tuple[_Array, str]:
    if photometric in ("YBR_FULL", "YBR_FULL_422") and array.dtype.itemsize == 1:
        return np.asarray(convert_color_space(array, "YBR_FULL", "RGB")), "RGB"
    return array, "RGB" if photometric in ("YBR_RCT", "YBR_ICT") else photometric


def _jpeg_2000(data: bytes, pixel_format: PixelFormat) -> tuple[_Array, int, bool]:
    found = get_j2k_parameters(data)
    array = _owned(imagecodecs.jpeg2k_decode(data))
    signed = array.dtype.kind == "i"
    return array, int(found.get("precision", pixel_format.bits_stored)), signed


def _jpeg_ls(data: bytes, pixel_format: PixelFormat) -> tuple[_Array, int, bool]:
    fault = jpeg_ls_fault(data, pixel_format.rows, pixel_format.columns, pixel_format.samples)
    if fault:
        raise ValueError(f"JPEG-LS: {fault}")
    return _owned(imagecodecs.jpegls_decode(data)), data[data.find(b"\xff\xf7") + 4], False


def _jpeg(data: bytes, pixel_format: PixelFormat) -> tuple[_Array, int, bool]:
    fault = jpeg_fault(data, pixel_format.rows, pixel_format.columns, pixel_format.samples)
    if fault:
        raise ValueError(f"JPEG: {fault}")
    space = "RGB" if pixel_format.samples == 3 else None  # no conversion: lossless JPEG stores colors as they are
    decoded = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace=space)
    return _owned(decoded), pixel_format.bits_stored, False


def _rle(data: bytes, pixel_format: PixelFormat) -> tuple[_Array, int, bool]:
    """RLE (PS3.5 annex G), decoded into the frame: without an output buffer the decoder reads the stream twice.

    No segment may exceed its share of the buffer, so only a complete stream fills every byte. Frames with more or less
    data are left to pydicom, which tolerates padding.
    """
    array = np.empty((pixel_format.rows, pixel_format.columns), f"<u{pixel_format.bits_allocated // 8}")
    decoded = imagecodecs.dicomrle_decode(data, dtype=array.dtype, out=array.reshape(-1).view(np.uint8).data)
    if len(decoded) != array.nbytes:
        raise ValueError(f"RLE: {len(decoded)} bytes decoded, {array.nbytes} expected")
    return array, pixel_format.bits_allocated, pixel_format.signed


def _owned(array: Any) -> _Array:
    found = np.ascontiguousarray(array)
    return found if found.flags.writeable else found.copy()


_DECODERS: dict[UID, Callable[[bytes, PixelFormat], tuple[_Array, int, bool]]] = {
    JPEG2000: _jpeg_2000,
    JPEG2000Lossless: _jpeg_2000,
    JPEGLSLossless: _jpeg_ls,
    JPEGLSNearLossless: _jpeg_ls,
    JPEGExtended12Bit: _jpeg,
    JPEGLossless: _jpeg,
    JPEGLosslessSV1: _jpeg,
    RLELossless: _rle,
}
_CODECS = {
    **dict.fromkeys((JPEG2000, JPEG2000Lossless), "JPEG2K"),
    **dict.fromkeys((JPEGLSLossless, JPEGLSNearLossless), "JPEGLS"),
    **dict.fromkeys((JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1), "JPEG8"),
    RLELossless: "DICOMRLE",
}
