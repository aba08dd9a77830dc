"""Decodes one frame of pixel data with the fastest decoder of its transfer syntax. Knows no files, no modality values.

Uncompressed gray frames are read directly. `codestreams` decodes most compressed ones; the rest (8-bit JPEG, color RLE,
High-Throughput JPEG 2000, packed bits, floating point) goes through pydicom.
"""

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
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

from engine.dicom.codestreams import PixelFormat, decodable, decode_codestream, has_decoder
from engine.dicom.parser_warnings import collect_warnings
from engine.errors import UserError

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
_UNCOMPRESSED = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
_READ_DIRECTLY = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)


def why_not_decodable(syntax: UID) -> str:
    """The reason to reject pixels in this transfer syntax; "" when they can be decoded."""
    if syntax in _PLUGINS or syntax in _UNCOMPRESSED:
        return ""
    if "MPEG" in syntax.name or "HEVC" in syntax.name:
        return "Video is not supported; export single images instead."
    name = syntax.name if syntax.name != syntax else f"The unknown transfer syntax {syntax}"
    return f"{name} is not supported; export the image uncompressed."


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
        options: pydicom's decoding options (`pydicom.pixels.utils.as_pixel_options`).

    Returns:
        stored values [H, W], or [H, W, 3] in the stored bit depth (YBR converted to RGB), and their photometric
        interpretation.

    Raises:
        UserError: no decoder can read this frame.
    """
    reasons: list[BaseException] = []
    pixel_format = _pixel_format_of(options)
    if (
        pixel_format is not None
        and syntax in _READ_DIRECTLY
        and not isinstance(source, Dataset)
        and _is_uncompressed_gray(pixel_format, options)
    ):
        try:
            return _plain_frame(source, frame, pixel_format), pixel_format.photometric
        except (ValueError, OSError) as error:
            raise _damaged(frame, syntax) from error
    if pixel_format is not None and decodable(syntax, pixel_format):
        try:
            return decode_codestream(_encoded_frame(source, frame, options), syntax, pixel_format)
        except Exception as error:  # the libraries document no exception types for damaged input
            reasons.append(error)
    decoder = get_decoder(syntax)
    for plugin in _PLUGINS.get(syntax, ("",)):
        try:
            with collect_warnings():
                array, properties = decoder.as_array(source, index=frame, decoding_plugin=plugin, **options)
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


def _is_uncompressed_gray(pixel_format: PixelFormat, options: dict[str, Any]) -> bool:
    supported = pixel_format.bits_allocated in (8, 16) and 0 < pixel_format.bits_stored <= pixel_format.bits_allocated
    return supported and pixel_format.samples == 1 and options.get("pixel_keyword", "PixelData") == "PixelData"


def _plain_frame(file: BinaryIO, frame: int, pixel_format: PixelFormat) -> NDArray[Any]:
    """Stored values straight from the file, little endian; bits above Bits Stored are dropped."""
    size = pixel_format.bits_allocated // 8
    length = pixel_format.rows * pixel_format.columns * size
    start = file.tell()
    file.seek(start + frame * length)
    data = bytearray(length)
    if file.readinto(data) != length:  # type: ignore[attr-defined]
        raise ValueError("pixel data too short")
    stored = np.frombuffer(data, f"<{pixel_format.kind}{size}").reshape(pixel_format.rows, pixel_format.columns)
    shift = pixel_format.bits_allocated - pixel_format.bits_stored
    if shift:
        np.left_shift(stored, shift, out=stored)
        np.right_shift(stored, shift, out=stored)
    return stored


def _damaged(frame: int, syntax: UID) -> UserError:
    return UserError(
        f"Frame {frame + 1} cannot be decoded as {syntax.name}: "
        "the file is damaged or truncated. Copy or send it again."
    )


def _encoded_frame(source: Dataset | BinaryIO, frame: int, options: dict[str, Any]) -> bytes:
    """The codestream of one frame; the position of a stream is restored."""
    encoded = source.PixelData if isinstance(source, Dataset) else source
    start = 0 if isinstance(source, Dataset) else source.tell()
    offsets = options.get("extended_offsets")
    data = get_frame(encoded, frame, number_of_frames=options["number_of_frames"], extended_offsets=offsets)
    if not isinstance(source, Dataset):
        source.seek(start)
    return data
