"""Decodes one frame of pixel data with the fastest decoder of its transfer syntax. Knows no files, no modality values.

`native` reads uncompressed gray frames directly. `codestreams` decodes most compressed ones; the rest (8-bit JPEG,
color RLE, High-Throughput JPEG 2000, single bits, floating point) goes through pydicom.
"""

from io import BytesIO
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from engine.dicom.coding.codestreams import PixelFormat, decodable, decode_codestream, has_decoder
from engine.dicom.coding.form import JPEG_XL, codestream
from engine.dicom.coding.fragments import frame_bytes
from engine.dicom.coding.jpeg_2000_check import is_plain, jpeg_2000_fault
from engine.dicom.coding.native import packed_frame, place_samples, plain_frame
from engine.dicom.parser_warnings import collect_warnings
from engine.errors import UserError
from engine.store.safety.trial import try_out

_PLUGINS: dict[UID, tuple[str, ...]] = {
    RLELossless: ("pylibjpeg", "pydicom"),
    JPEGLSLossless: (),
    JPEGLSNearLossless: (),
    JPEG2000Lossless: ("pylibjpeg",),
    JPEG2000: ("pylibjpeg",),
    HTJ2KLossless: ("pylibjpeg",),
    HTJ2KLosslessRPCL: ("pylibjpeg",),
    HTJ2K: ("pylibjpeg",),
    JPEGBaseline8Bit: ("pillow",),
    JPEGExtended12Bit: ("pillow",),
    JPEGLossless: (),
    JPEGLosslessSV1: (),
}
"""pydicom's plugins for what `codestreams` does not decode; none where damaged input can hang or crash one."""
_JPEG_2000 = (JPEG2000, JPEG2000Lossless, HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL)
MAX_PLAIN_BITS = 1 << 30
"""Compressed frames with more bits of pixels (128 MB) are tried out first: libraries take several times that."""
_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
_READ_DIRECTLY = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
_NAMES = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    JPEG_XL: "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
    "1.2.840.113619.5.2": "Implicit VR Big Endian (GE, private)",
}
"""Transfer syntaxes of PS3.6 table A-1 that pydicom's dictionary lacks, and a well-known private one."""


def decodable_syntaxes() -> tuple[UID, ...]:
    """The transfer syntaxes whose pixel data are decoded, uncompressed ones first."""
    return (*_NATIVE, *_PLUGINS)


def is_native(syntax: UID) -> bool:
    """Whether pixel data in this transfer syntax are pixel cells as they are, neither encapsulated nor compressed."""
    return syntax in _NATIVE


def syntax_name(syntax: UID) -> str:
    """The name of a transfer syntax in PS3.6; for an unknown one its UID in words."""
    name = _NAMES.get(syntax) or syntax.name
    return name if name != syntax else f"The unknown transfer syntax {syntax}"


def why_not_decodable(syntax: UID) -> str:
    """The reason to reject pixels in this transfer syntax, by name; "" when they can be decoded."""
    if syntax in _PLUGINS or syntax in _NATIVE:
        return ""
    if "MPEG" in syntax.name or "HEVC" in syntax.name:
        return "Video is not supported; export single images instead."
    return f"{syntax_name(syntax)} is not supported; export the image uncompressed."


def missing_decoders() -> list[str]:
    """Names of the supported compressed transfer syntaxes that this installation has no decoder for."""
    return [
        syntax.name
        for syntax, plugins in _PLUGINS.items()
        if not has_decoder(syntax) and not set(plugins) & set(get_decoder(syntax).available_plugins)
    ]


def decode(source: Dataset | BinaryIO, syntax: UID, frame: int, options: dict[str, Any]) -> tuple[NDArray[Any], str]:
    """Decode one frame without decoding the others.

    Args:
        source: a stream at the value of the pixel data element, or a whole dataset.
        syntax: transfer syntax.
        frame: 0-based.
        options: pydicom's decoding options (`pydicom.pixels.utils.as_pixel_options`), and those of `pixel_source`.

    Returns:
        stored values [H, W], or [H, W, 3] in the stored bit depth (YBR converted to RGB), and their photometric
        interpretation.

    Raises:
        UserError: no decoder can read this frame.
    """
    options = dict(options)
    high_bit, native_bytes = options.pop("high_bit", None), options.pop("native_bytes", None)
    pixel_format = _pixel_format_of(options)
    if pixel_format is None:
        return _by_pydicom(source, syntax, frame, options, [])
    if is_native(syntax):
        if native_bytes is not None and pixel_format.frame_bits * (frame + 1) > 8 * native_bytes:
            raise _damaged(frame, syntax)
        found = _natively(source, syntax, frame, options, high_bit)
        if found is not None:
            return found, pixel_format.photometric
    stored = pixel_format.bits_stored
    if high_bit is None or high_bit == stored - 1 or _holds_samples(source, frame, options, syntax, stored):
        return _by_codec(source, syntax, frame, options)
    array, photometric = _by_codec(source, syntax, frame, options | {"bits_stored": pixel_format.bits_allocated})
    if array.dtype.kind in "iu" and 8 * array.dtype.itemsize == pixel_format.bits_allocated:
        array = np.array(array)
        place_samples(array, high_bit, stored)
    return array, photometric


def _natively(
    source: Dataset | BinaryIO, syntax: UID, frame: int, options: dict[str, Any], high_bit: int | None
) -> NDArray[Any] | None:
    """A native gray frame; None for what pydicom reads."""
    pixel_format = PixelFormat.of(options)
    bits, stored = pixel_format.bits_allocated, pixel_format.bits_stored
    if pixel_format.samples != 1 or not 0 < stored <= bits or options.get("pixel_keyword", "PixelData") != "PixelData":
        return None
    top = stored - 1 if high_bit is None else high_bit
    try:
        if bits in (8, 16) and syntax in _READ_DIRECTLY and not isinstance(source, Dataset):
            return plain_frame(source, frame, pixel_format, top)
        if bits % 8 and 1 < bits < 32:
            stream = BytesIO(source.PixelData) if isinstance(source, Dataset) else source
            return packed_frame(stream, frame, pixel_format, top, swapped=syntax == ExplicitVRBigEndian)
    except (ValueError, OSError) as error:
        raise _damaged(frame, syntax) from error
    return None


def _holds_samples(
    source: Dataset | BinaryIO, frame: int, options: dict[str, Any], syntax: UID, bits_stored: int
) -> bool:
    """Whether a codestream holds samples alone, not whole pixel cells: then High Bit does not apply (PS3.5 8.2)."""
    if is_native(syntax):
        return False
    try:
        found = codestream(_encoded_frame(source, frame, options))
    except Exception:  # damaged: the decoder says so
        return False
    return found is not None and found.precision is not None and found.precision <= bits_stored


def _by_codec(source: Dataset | BinaryIO, syntax: UID, frame: int, options: dict[str, Any]) -> tuple[NDArray[Any], str]:
    reasons: list[BaseException] = []
    pixel_format = PixelFormat.of(options)
    if not is_native(syntax):
        try:
            data = _encoded_frame(source, frame, options)
        except (KeyError, OSError, ValueError) as error:
            raise _damaged(frame, syntax) from error
        _check(data, syntax, frame, options)
        try:
            if decodable(syntax, pixel_format):
                return decode_codestream(data, syntax, pixel_format)
        except Exception as error:  # the libraries document no exception types for damaged input
            reasons.append(error)
    return _by_pydicom(source, syntax, frame, options, reasons)


def _check(data: bytes, syntax: UID, frame: int, options: dict[str, Any]) -> None:
    """Refuse a JPEG 2000 frame that contradicts its header, and decode what is suspicious in the helper first.

    Raises:
        UserError: damaged, or over the budget of time and memory.
    """
    pixel_format = PixelFormat.of(options)
    size = (pixel_format.rows, pixel_format.columns, pixel_format.samples)
    plain = pixel_format.frame_bits <= MAX_PLAIN_BITS
    if syntax in _JPEG_2000:
        if fault := jpeg_2000_fault(data, *size):
            raise _damaged(frame, syntax) from ValueError(f"JPEG 2000: {fault}")
        plain = plain and is_plain(data)
    if not plain:
        alone = {name: value for name, value in options.items() if name != "extended_offsets"}
        spare = pixel_format.frame_bits // 8
        try_out(decode_alone, data, syntax, alone | {"number_of_frames": 1}, spare=spare)


def decode_alone(data: bytes, syntax: UID, options: dict[str, Any]) -> None:
    """Decode one codestream."""
    _by_codec(BytesIO(encapsulate([data])), syntax, 0, options)


def _by_pydicom(
    source: Dataset | BinaryIO, syntax: UID, frame: int, options: dict[str, Any], reasons: list[BaseException]
) -> tuple[NDArray[Any], str]:
    """Decode by pydicom's plugins.

    Args:
        source: as in `decode`, like the following.
        syntax: transfer syntax.
        frame: 0-based.
        options: pydicom's.
        reasons: why other decoders failed.

    Raises:
        UserError: no decoder can read this frame.
    """
    decoder = get_decoder(syntax)
    if not is_native(syntax):
        try:
            source = BytesIO(encapsulate([_encoded_frame(source, frame, options)]))
        except (KeyError, OSError, ValueError) as error:
            raise _damaged(frame, syntax) from error
        options = {**options, "number_of_frames": 1}
        options.pop("extended_offsets", None)
    index = frame if is_native(syntax) else 0
    for plugin in _PLUGINS.get(syntax, ("",)):
        try:
            with collect_warnings():
                array, properties = decoder.as_array(source, index=index, decoding_plugin=plugin, **options)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # damaged input: anything, also a Rust panic, which is a BaseException
            reasons.append(error)
        else:
            return np.asarray(array), str(properties["photometric_interpretation"])
    raise _damaged(frame, syntax) from (reasons[0] if reasons else None)


def _pixel_format_of(options: dict[str, Any]) -> PixelFormat | None:
    try:
        return PixelFormat.of(options)
    except (KeyError, TypeError, ValueError):
        return None  # pydicom names what is missing


def _damaged(frame: int, syntax: UID) -> UserError:
    return UserError(
        f"Frame {frame + 1} cannot be decoded as {syntax.name}: "
        "the file is damaged or truncated. Copy or send it again."
    )


def _encoded_frame(source: Dataset | BinaryIO, frame: int, options: dict[str, Any]) -> bytes:
    """The codestream of one frame. Raises ValueError when the file does not say where it is."""
    stream = BytesIO(source.PixelData) if isinstance(source, Dataset) else source
    return frame_bytes(stream, frame, options["number_of_frames"], options.get("extended_offsets"))
