"""Overlay text that an image must carry: lossy compression, burned-in text, laterality. Reads no files."""

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
_POSSIBLY_LOSSY = frozenset({JPEGLSNearLossless, JPEG2000, JPEG2000MC, HTJ2K})
_BURNED_IN_MODALITIES = frozenset({"US", "IVUS", "ES", "XC", "GM", "SM", "OT", "SC", "XA", "RF", "OP", "BDUS"})
"""Modalities whose devices write names and dates into the pixels (compare PS3.15 E.3.1)."""
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_SIDES = {"L": "Left", "R": "Right", "B": "Bilateral"}


def lossy_mark(image: ImageRef) -> str:
    """The text "Lossy compression" or "Possibly lossy compression", or "" for lossless images.

    Lossy Image Compression (0028,2110) stays 01 once pixels were lossy. Where it is absent, the transfer syntax
    decides: some are always lossy, some may be.
    """
    if image.lossy or image.transfer_syntax in _ALWAYS_LOSSY:
        return "Lossy compression"
    return "Possibly lossy compression" if image.transfer_syntax in _POSSIBLY_LOSSY else ""


def burned_in_mark(image: ImageRef, modality: str) -> str:
    """Burned-in text by Burned In Annotation (0028,0301), else by SOP class and modality; "" for none."""
    if image.burned_in is not None:
        return "Burned-in text" if image.burned_in else ""
    captured = image.sop_class.startswith(_SECONDARY_CAPTURE)
    return "Burned-in text possible" if captured or modality.upper() in _BURNED_IN_MODALITIES else ""


def laterality_mark(image: ImageRef) -> str:
    """Laterality as in the header, never inferred, and View Position (0018,5101), as in "Right · CC"."""
    return " · ".join(word for word in (_SIDES.get(image.laterality, ""), image.view_position.upper()) if word)
