"""What must be said beside an image: lossy compression, burned-in text, laterality. Reads no files."""

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
)

from engine.study import ImageRef

_ALWAYS_LOSSY = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit})
_PERHAPS_LOSSY = frozenset({JPEGLSNearLossless, JPEG2000, JPEG2000MC, HTJ2K})
_BURNED_IN_MODALITIES = frozenset({"US", "IVUS", "ES", "XC", "GM", "SM", "OT", "SC", "XA", "RF", "OP", "BDUS"})
"""Whose devices write names and dates into the pixels (PS3.15 E.3.1 asks for care with these)."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SIDES = {"L": "Left", "R": "Right", "B": "Both sides"}


def lossy_mark(image: ImageRef) -> str:
    """ "Lossy compression" when the header or the transfer syntax says so, "Perhaps lossy" when it may be, else "".

    Lossy Image Compression (0028,2110) stays 01 for ever once pixels were lossy; files that were written without it
    are told by a transfer syntax that has lost pixels, or may have.
    """
    if image.lossy or image.transfer_syntax in _ALWAYS_LOSSY:
        return "Lossy compression"
    return "Perhaps lossy compression" if image.transfer_syntax in _PERHAPS_LOSSY else ""


def burned_in_mark(image: ImageRef, modality: str) -> str:
    """Whether the pixels may show the patient's name: by Burned In Annotation (0028,0301), else by kind of image."""
    if image.burned_in is not None:
        return "Burned-in text" if image.burned_in else ""
    captured = image.sop_class.startswith(_SECONDARY_CAPTURE)
    return "Burned-in text possible" if captured or modality.upper() in _BURNED_IN_MODALITIES else ""


def laterality_mark(image: ImageRef) -> str:
    """The side that the header names, never inferred, and the View Position (0018,5101) beside it: "Right · CC"."""
    return " · ".join(word for word in (_SIDES.get(image.laterality, ""), image.view_position.upper()) if word)
