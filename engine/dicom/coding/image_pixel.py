"""Reads the Image Pixel attributes (PS3.3 C.7.6.3), supplying what is missing and can have one meaning only.

Knows no files and no decoders. What could mean two things (Pixel Representation of 16-bit values, Planar Configuration
of native colors, a missing Photometric Interpretation) stays missing, and the image is refused.
"""

from difflib import SequenceMatcher
from typing import Any

from pydicom.pixels.utils import as_pixel_options

from engine.dicom.fast_header import FastHeader
from engine.dicom.values import FileHeader, Header, integer, text

_SAMPLES = {
    **dict.fromkeys(("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"), 1),
    **dict.fromkeys(("RGB", "HSV", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420"), 3),
    **dict.fromkeys(("YBR_ICT", "YBR_RCT", "XYB"), 3),
    **dict.fromkeys(("ARGB", "CMYK"), 4),
}
"""Samples per Pixel by Photometric Interpretation (PS3.3 C.7.6.3.1.1, C.7.6.3.1.2)."""
_ALIKE = 0.85
"""Similarity from which a misspelt Photometric Interpretation is recognized."""
_OPTIONS = {
    "samples_per_pixel": "SamplesPerPixel",
    "photometric_interpretation": "PhotometricInterpretation",
    "planar_configuration": "PlanarConfiguration",
    "rows": "Rows",
    "columns": "Columns",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "pixel_representation": "PixelRepresentation",
}


def photometric(dataset: Header) -> str:
    """The Photometric Interpretation as the standard spells it, "monochrome2 " and "YBR FULL" included.

    A word that is not close to exactly one defined term with the same digits stays as it is.
    """
    found = text(dataset, "PhotometricInterpretation")
    if found in _SAMPLES or not found:
        return found
    letters = _letters(found)
    alike = [name for name in _SAMPLES if _digits(name) == _digits(found) and _similar(letters, _letters(name))]
    return next((name for name in alike if _letters(name) == letters), alike[0] if len(alike) == 1 else found)


def _letters(term: str) -> str:
    return "".join(filter(str.isalnum, term.upper()))


def _digits(term: str) -> str:
    return "".join(filter(str.isdigit, term))


def _similar(term: str, other: str) -> bool:
    return SequenceMatcher(None, term, other).ratio() >= _ALIKE


def high_bit(dataset: Header) -> int | None:
    """High Bit (0028,0102), where a sample lies in its cell (PS3.5 8.1.1); None where it is absent or impossible."""
    found, stored, allocated = (integer(dataset, word) for word in ("HighBit", "BitsStored", "BitsAllocated"))
    if found is None or stored is None or allocated is None or not 1 <= stored <= found + 1 <= allocated:
        return None
    return found


def pixel_options(dataset: FileHeader, **extra: Any) -> dict[str, Any]:
    """Pydicom's decoding options for a header, with `extra`.

    ACR-NEMA and old DICOM files lack Samples per Pixel, which follows from the Photometric Interpretation. A missing
    Bits Stored is Bits Allocated unless High Bit says less; 8-bit and color samples are unsigned (PS3.3 C.7.6.3).

    Raises:
        Exception: a value is damaged; pydicom documents no types.
    """
    if isinstance(dataset, FastHeader):
        options = _fast_header_options(dataset) | extra
    else:
        options = as_pixel_options(dataset, **extra)  # type: ignore[arg-type]
    if "photometric_interpretation" in options:
        options["photometric_interpretation"] = photometric(dataset)
    _supply(options, "samples_per_pixel", _SAMPLES.get(photometric(dataset)))
    allocated = options["bits_allocated"]
    _supply(options, "bits_stored", (integer(dataset, "HighBit") or allocated - 1) + 1)
    floating = options.get("pixel_keyword", "PixelData") != "PixelData"
    if floating or allocated == 8 or options["samples_per_pixel"] > 1:
        _supply(options, "pixel_representation", 0)
    return options


def _supply(options: dict[str, Any], name: str, value: int | None) -> None:
    if options.get(name) is None and value is not None:
        options[name] = value


def _fast_header_options(header: FastHeader) -> dict[str, Any]:
    """The same as pydicom's `as_pixel_options`."""
    options = {name: header.get(keyword) for name, keyword in _OPTIONS.items() if keyword in header}
    options["number_of_frames"] = max(1, integer(header, "NumberOfFrames") or 1)
    if "ExtendedOffsetTable" in header:
        options["extended_offsets"] = (header.get("ExtendedOffsetTable"), header.get("ExtendedOffsetTableLengths"))
    return options
