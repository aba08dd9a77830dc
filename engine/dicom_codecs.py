"""Decodes one frame of pixel data with the fastest decoder that can. Knows no files, no modality values, no colours.

Preferences were measured on 3000 x 2500 pixels of 12 bits: RLE pylibjpeg; JPEG-LS pyjpegls before gdcm; JPEG 2000 gdcm
before openjpeg; JPEG gdcm; High-Throughput JPEG 2000 openjpeg.
"""

from typing import Any, BinaryIO

import gdcm
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

from engine.dicom_notes import notes_of_pydicom
from engine.errors import UserError

_PLUGINS: dict[UID, tuple[str, ...]] = {
    RLELossless: ("pylibjpeg", "pydicom"),
    JPEGLSLossless: ("pyjpegls", "gdcm"),
    JPEGLSNearLossless: ("pyjpegls", "gdcm"),
    JPEG2000Lossless: ("gdcm", "pylibjpeg"),
    JPEG2000: ("gdcm", "pylibjpeg"),
    HTJ2KLossless: ("pylibjpeg",),
    HTJ2KLosslessRPCL: ("pylibjpeg",),
    HTJ2K: ("pylibjpeg",),
    JPEGBaseline8Bit: ("gdcm", "pillow"),
    JPEGExtended12Bit: ("gdcm", "pillow"),
    JPEGLossless: ("gdcm",),
    JPEGLosslessSV1: ("gdcm",),
}


_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def why_not_decodable(syntax: UID) -> str:
    """One sentence when pixels in this transfer syntax cannot be decoded, else ""."""
    if syntax in _PLUGINS or syntax in _NATIVE:
        return ""
    if "MPEG" in syntax.name or "HEVC" in syntax.name:
        return "It is a video, which Kindred does not play; export single images of it."
    name = syntax.name if syntax.name != syntax else f"an unknown way ({syntax})"
    return f"Its pixels are stored as {name}, which Kindred cannot decode; export the image uncompressed."


def decode(source: Dataset | BinaryIO, syntax: UID, frame: int, options: dict[str, Any]) -> tuple[NDArray[Any], str]:
    """Decode one frame without decoding the others.

    Args:
        source: the stream at the pixel data's value, or a whole dataset.
        syntax: transfer syntax.
        frame: 0-based.
        options: pydicom's decoding options (`pydicom.pixels.utils.as_pixel_options`).

    Returns:
        stored values [H, W], or colours [H, W, 3] in the stored depth (YBR already as RGB), and the photometric
        interpretation of what is returned.

    Raises:
        UserError: no decoder can read this frame.
    """
    if syntax == JPEGExtended12Bit and options.get("bits_stored", 8) > 8:
        return _decode_jpeg_12_bit(source, frame, options), str(options["photometric_interpretation"])
    decoder = get_decoder(syntax)
    reasons: list[BaseException] = []
    for plugin in _PLUGINS.get(syntax, ("",)):
        try:
            with notes_of_pydicom():
                array, properties = decoder.as_array(source, index=frame, decoding_plugin=plugin, **options)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # damaged input: any exception, and from Rust a panic, which is no Exception
            reasons.append(error)
        else:
            return np.asarray(array), str(properties["photometric_interpretation"])
    raise _damaged(frame, syntax) from reasons[0]


def _damaged(frame: int, syntax: UID) -> UserError:
    return UserError(
        f"Frame {frame + 1} cannot be decoded ({syntax.name}): the file is damaged or cut short. Copy or send it again."
    )


def _decode_jpeg_12_bit(source: Dataset | BinaryIO, frame: int, options: dict[str, Any]) -> NDArray[Any]:
    """Decode JPEG Extended of 9 to 12 bits, which pydicom refuses to pass to gdcm although gdcm reads it."""
    rows, columns, bits = options["rows"], options["columns"], options["bits_stored"]
    if options["samples_per_pixel"] != 1:
        raise UserError("A colour JPEG of more than 8 bits cannot be decoded; export the image again with 8 bits.")
    encoded = source.PixelData if isinstance(source, Dataset) else source
    try:
        data = get_frame(encoded, frame, number_of_frames=options["number_of_frames"])
        fragment = gdcm.Fragment()
        fragment.SetByteStringValue(data)
        fragments = gdcm.SequenceOfFragments.New()
        fragments.AddFragment(fragment)
        element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
        element.SetValue(fragments.__ref__())
        image = gdcm.Image()
        image.SetNumberOfDimensions(2)
        image.SetDimensions((columns, rows, 1))
        image.SetDataElement(element)
        photometric = gdcm.PhotometricInterpretation.GetPIType(str(options["photometric_interpretation"]))
        image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
        image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(JPEGExtended12Bit))))
        image.SetPixelFormat(gdcm.PixelFormat(1, 16, bits, bits - 1, options["pixel_representation"]))
        decoded = image.GetBuffer().encode("utf-8", "surrogateescape")
        return np.frombuffer(decoded, "<u2").reshape(rows, columns)
    except Exception as error:  # neither parser promises an exception type for damaged input
        raise _damaged(frame, JPEGExtended12Bit) from error
