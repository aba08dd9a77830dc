"""Reads what a header says about turning stored values into modality values and gray levels. Decodes no pixels."""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.dicom.values import Header, integer, item, items, number, numbers, raw, text, texts
from engine.image.voi import FUNCTIONS, VoiLut, Window

CT_IMAGES = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


def frame_group(dataset: Header, frame: int, keyword: str) -> Header:
    """Where a frame's attributes of one macro are: its own functional group, the shared one, else the top level."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    own = item(per_frame[frame], keyword) if frame < len(per_frame) else None
    return own or item(item(dataset, "SharedFunctionalGroupsSequence"), keyword) or dataset


@dataclass(frozen=True, slots=True, eq=False)
class Rescale:
    """Modality transformation (PS3.3 C.11.1): a table when there is one, else `slope` * stored + `intercept`."""

    slope: float = 1.0
    intercept: float = 0.0
    table: VoiLut | None = None
    unit: str = ""


AS_STORED = Rescale()
"""Stored values are modality values."""


def rescale(dataset: Header, frame: int) -> Rescale:
    """The modality transformation of one frame.

    The unit is HU only when the rescale type says so, or for a CT image that gives no type (PS3.3 C.8.2.1).
    """
    sop_class = text(dataset, "SOPClassUID")
    lut = item(dataset, "ModalityLUTSequence")
    table = lookup_table(lut) if lut is not None else None
    if lut is not None and table is not None:
        return Rescale(table=table, unit=_unit(text(lut, "ModalityLUTType")))
    group = frame_group(dataset, frame, "PixelValueTransformationSequence")
    slope, intercept = number(group, "RescaleSlope"), number(group, "RescaleIntercept")
    if slope is None and intercept is None:
        scaling = number(dataset, "DoseGridScaling") if sop_class == RT_DOSE else None
        if scaling:
            return Rescale(slope=scaling, unit="Gy" if text(dataset, "DoseUnits") == "GY" else "")
        return Rescale()
    kind = text(group, "RescaleType")
    if not kind and sop_class in CT_IMAGES:
        kind = "HU"
    if not kind and text(dataset, "Units"):
        kind = text(dataset, "Units")
    return Rescale(slope=slope if slope else 1.0, intercept=intercept or 0.0, unit=_unit(kind))


def _unit(kind: str) -> str:
    """Rescale Type or PET Units as a unit to show; "US" means unspecified."""
    return {"US": "", "BQML": "Bq/ml", "CNTS": "counts", "HU": "HU"}.get(kind.upper(), kind)


def windows(dataset: Header, frame: int) -> tuple[Window, ...]:
    """Every usable window of a frame in the file's order, with its explanation as the name."""
    group = frame_group(dataset, frame, "FrameVOILUTSequence")
    function = text(group, "VOILUTFunction").upper()
    if function not in FUNCTIONS:
        function = FUNCTIONS[0]
    centers, widths = numbers(group, "WindowCenter"), numbers(group, "WindowWidth")
    names = texts(group, "WindowCenterWidthExplanation")
    found = zip_longest(centers, widths, names[: len(centers)])
    return tuple(
        Window(center, width, function, name or "")
        for center, width, name in found
        if center is not None and width is not None and width > 0
    )


def voi_luts(dataset: Header, frame: int) -> tuple[VoiLut, ...]:
    """Every usable VOI table of a frame in the file's order.

    First values are signed where modality values may be negative (PS3.3 C.11.2.1.1), which implicit VR does not say: of
    the two readings of a high one, that counts which more of the modality values fall in.
    """
    group = frame_group(dataset, frame, "FrameVOILUTSequence")
    found = [lookup_table(lut) for lut in items(group, "VOILUTSequence")]
    tables = [table for table in found if table is not None]
    if any(table.first >= 1 << 15 for table in tables):
        lowest, highest = _modality_range(dataset, rescale(dataset, frame))
        tables = [_signed_where_it_fits(table, lowest, highest) for table in tables]
    return tuple(tables)


def _signed_where_it_fits(table: VoiLut, lowest: float, highest: float) -> VoiLut:
    def inside(first: int) -> float:
        return min(first + len(table.entries), highest) - max(first, lowest)

    signed = table.first - (1 << 16)
    return replace(table, first=signed) if table.first >= 1 << 15 and inside(signed) > inside(table.first) else table


def _modality_range(dataset: Header, transform: Rescale) -> tuple[float, float]:
    """The lowest modality value that there may be, and the highest; those of a modality table are never negative."""
    count = 1 << min(max(integer(dataset, "BitsStored") or 16, 1), 32)
    if transform.table is not None:
        return 0.0, float(1 << 16)
    lowest = -count // 2 if integer(dataset, "PixelRepresentation") == 1 else 0
    ends = [stored * transform.slope + transform.intercept for stored in (lowest, lowest + count - 1)]
    return min(ends), max(ends)


def lookup_table(lut: Header) -> VoiLut | None:
    """A Modality or VOI lookup table (PS3.3 C.11.1.1, C.11.2.1.1); None when it is damaged."""
    descriptor = numbers(lut, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    count = (int(descriptor[0]) & 0xFFFF) or 1 << 16
    bits = int(descriptor[2])
    entries = table_entries(table_data(lut, "LUTData"), count)
    if entries is None or not 1 <= bits <= 16:
        return None
    highest = int(entries.max())
    if highest >> bits:  # files give 12 where the entries take 16
        bits = highest.bit_length()
    return VoiLut(int(descriptor[1]), entries, bits, text(lut, "LUTExplanation"))


def table_data(dataset: Header, keyword: str) -> Any:
    """The value of a table; bytes are in the order of little endian (PS3.5 7.3: OW is stored word by word)."""
    data = raw(dataset, keyword)
    if not isinstance(data, bytes) or not isinstance(dataset, Dataset) or dataset.original_encoding[1] is not False:
        return data
    if dataset[keyword].VR != "OW":
        return data
    return np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()


def table_entries(data: Any, count: int) -> NDArray[np.uint16] | None:
    """The entries of what `table_data` gives, parsed as numbers or left as bytes, one or two bytes each."""
    if isinstance(data, bytes):
        if len(data) >= 2 * count:
            return np.frombuffer(data, "<u2", count).astype(np.uint16)
        return np.frombuffer(data, np.uint8, count).astype(np.uint16) if len(data) >= count else None
    if data is None or isinstance(data, str):
        return None
    values = np.atleast_1d(np.asarray(data))
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        return None
    words = values.astype(np.int64).astype(np.uint16)
    if len(words) >= count:
        return words[:count]
    return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16) if 2 * len(words) >= count else None


def is_inverted(dataset: Header) -> bool:
    """Low values are bright. A MONOCHROME1 image with Presentation LUT Shape INVERSE is inverted once (C.11.6.1.2)."""
    shape = text(dataset, "PresentationLUTShape").upper()
    return text(dataset, "PhotometricInterpretation") == "MONOCHROME1" or shape == "INVERSE"


def padding_range(dataset: Header) -> tuple[int, int] | None:
    """Lowest and highest stored value that is no part of the image (PS3.3 C.7.5.1.1.2), signed as the pixels are."""
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    ends = [_signed_as_pixels(dataset, end) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def float_padding_range(dataset: Header, stored: np.dtype[Any]) -> tuple[float, float] | None:
    """Like `padding_range`, for stored float32 or float64 (PS3.3 C.7.6.24, C.7.6.25)."""
    kind = "Float" if stored.itemsize <= 4 else "DoubleFloat"
    value = number(dataset, f"{kind}PixelPaddingValue")
    if value is None:
        return None
    limit = number(dataset, f"{kind}PixelPaddingRangeLimit")
    return (value, value) if limit is None else (min(value, limit), max(value, limit))


def _signed_as_pixels(dataset: Header, value: int) -> int:
    bits = integer(dataset, "BitsAllocated") or 16
    if integer(dataset, "PixelRepresentation") == 1:
        return value - (1 << bits) if value >= 1 << (bits - 1) else value
    return value + (1 << bits) if value < 0 else value
