"""Reads the attributes that turn stored values into modality values and gray levels. Decodes no pixels."""

from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from engine.dicom.coding.image_pixel import photometric
from engine.dicom.values import Header, integer, item, items, number, numbers, raw, text, texts
from engine.image.voi import FUNCTIONS, VoiLut, Window

CT_IMAGES = (
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.2.2",
)
"""CT, Enhanced CT and Legacy Converted Enhanced CT Image Storage."""
RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


def frame_group(dataset: Header, frame: int, keyword: str) -> Header:
    """A frame's own functional group for a macro, else the shared one, else the top level (PS3.3 C.7.6.16)."""
    per_frame = items(dataset, "PerFrameFunctionalGroupsSequence")
    own = item(per_frame[frame], keyword) if frame < len(per_frame) else None
    return own or item(item(dataset, "SharedFunctionalGroupsSequence"), keyword) or dataset


@dataclass(frozen=True, slots=True, eq=False)
class Rescale:
    """Modality transformation (PS3.3 C.11.1): `table` if there is one, else `slope` * stored + `intercept`."""

    slope: float = 1.0
    intercept: float = 0.0
    table: VoiLut | None = None
    unit: str = ""
    """Unit of the modality values, as in `Pixels.unit`."""


AS_STORED = Rescale()
"""The identity: stored values are modality values."""


def rescale(dataset: Header, frame: int) -> Rescale:
    """The modality transformation of one frame.

    The unit is HU only by Rescale Type, or for a CT image without one (PS3.3 C.8.2.1).
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
    """Rescale Type or PET Units as shown on screen; US means unspecified."""
    return {"US": "", "BQML": "Bq/ml", "CNTS": "counts", "HU": "HU"}.get(kind.upper(), kind)


def windows(dataset: Header, frame: int) -> tuple[Window, ...]:
    """All valid windows of a frame in the file's order, named by their explanations."""
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
    """All valid VOI LUTs of a frame in the file's order.

    First values are signed where modality values may be negative (PS3.3 C.11.2.1.1), but with implicit VR the type is
    unknown: a value of 32768 or more is taken as negative when the table then covers more of the modality values.
    """
    group = frame_group(dataset, frame, "FrameVOILUTSequence")
    found = [lookup_table(lut) for lut in items(group, "VOILUTSequence")]
    tables = [table for table in found if table is not None]
    if any(table.first >= 1 << 15 for table in tables):
        lowest, highest = _modality_range(dataset, rescale(dataset, frame))
        tables = [_signed_where_it_fits(table, lowest, highest) for table in tables]
    return tuple(tables)


def _signed_where_it_fits(table: VoiLut, lowest: float, highest: float) -> VoiLut:
    def covered(first: int) -> float:
        return min(first + len(table.entries), highest) - max(first, lowest)

    signed = table.first - (1 << 16)
    return replace(table, first=signed) if table.first >= 1 << 15 and covered(signed) > covered(table.first) else table


def _modality_range(dataset: Header, transform: Rescale) -> tuple[float, float]:
    """The lowest and highest possible modality value; those of a modality LUT are never negative."""
    count = 1 << min(max(integer(dataset, "BitsStored") or 16, 1), 32)
    if transform.table is not None:
        return 0.0, float(1 << 16)
    lowest = -count // 2 if integer(dataset, "PixelRepresentation") == 1 else 0
    ends = [stored * transform.slope + transform.intercept for stored in (lowest, lowest + count - 1)]
    return min(ends), max(ends)


def lookup_table(lut: Header) -> VoiLut | None:
    """A Modality or VOI LUT (PS3.3 C.11.1.1, C.11.2.1.1) from its sequence item; None when it is damaged."""
    descriptor = numbers(lut, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    count = (int(descriptor[0]) & 0xFFFF) or 1 << 16
    bits = int(descriptor[2])
    entries = table_entries(table_data(lut, "LUTData"), count)
    if entries is None or not 1 <= bits <= 16:
        return None
    highest = int(entries.max())
    if highest >> bits:  # some files say 12 bits for entries of 16
        bits = highest.bit_length()
    return VoiLut(int(descriptor[1]), entries, bits, text(lut, "LUTExplanation"))


def table_data(dataset: Header, keyword: str) -> Any:
    """The data of a lookup table; bytes are converted to little endian (OW is stored word by word, PS3.5 7.3)."""
    data = raw(dataset, keyword)
    if not isinstance(data, bytes) or not isinstance(dataset, Dataset) or dataset.original_encoding[1] is not False:
        return data
    if dataset[keyword].VR != "OW":
        return data
    return np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()


def table_entries(data: Any, count: int) -> NDArray[np.uint16] | None:
    """The first `count` entries of `table_data`, stored in 8 or 16 bits each: uint16 [count]; None when damaged."""
    if isinstance(data, bytes):
        if len(data) >= 2 * count:
            return np.frombuffer(data, "<u2", count).astype(np.uint16)
        return np.frombuffer(data, np.uint8, count).astype(np.uint16) if len(data) >= count else None
    if data is None or isinstance(data, str):
        return None
    values = np.atleast_1d(np.asarray(data))
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        return None
    entries = values.astype(np.int64).astype(np.uint16)
    if len(entries) >= count:
        return entries[:count]
    return entries.astype("<u2").view(np.uint8)[:count].astype(np.uint16) if 2 * len(entries) >= count else None


def is_inverted(dataset: Header) -> bool:
    """Whether low values are bright: MONOCHROME1, Presentation LUT Shape INVERSE, or both (PS3.3 C.11.6.1.2)."""
    shape = text(dataset, "PresentationLUTShape").upper()
    return photometric(dataset) == "MONOCHROME1" or shape == "INVERSE"


def padding_range(dataset: Header) -> tuple[int, int] | None:
    """Lowest and highest stored value that is padding (PS3.3 C.7.5.1.1.2), signed like the pixels; None without."""
    value = integer(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = integer(dataset, "PixelPaddingRangeLimit")
    ends = [_signed_as_pixels(dataset, end) for end in (value, value if limit is None else limit)]
    return min(ends), max(ends)


def float_padding_range(dataset: Header, stored: np.dtype[Any]) -> tuple[float, float] | None:
    """Like `padding_range`, for float32 or float64 pixels (PS3.3 C.7.6.24, C.7.6.25)."""
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
