"""Turns palette indices into RGB (PS3.3 C.7.6.3.1.5, C.7.9). Knows no files."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from engine.dicom.parser_warnings import collect_warnings
from engine.dicom.values import integer, numbers, raw, text
from engine.errors import UserError
from engine.image.display_header import frame_group, table_data, table_entries

_COLORS = ("Red", "Green", "Blue")
_FRAME_TYPES = (
    "CTImageFrameTypeSequence",
    "MRImageFrameTypeSequence",
    "PETFrameTypeSequence",
    "XAXRFFrameTypeSequence",
)


def read_supplemental_colors(
    stored: NDArray[Any], dataset: Dataset, frame: int
) -> tuple[NDArray[np.bool_], NDArray[np.uint8]] | None:
    """Colors of a grayscale image whose highest stored values are palette indices (PS3.3 C.8.16.2.1.1, C.7.6.19).

    pydicom's `apply_color_lut` does not support these tables.

    Args:
        stored: stored values [H, W].
        dataset: the whole header.
        frame: 0-based.

    Returns:
        bool [H, W], true for colored pixels, and their RGB in uint8 [H, W, 3]; None for an image without any.

    Raises:
        UserError: a palette is damaged.
    """
    if raw(dataset, "RedPaletteColorLookupTableData") is None:
        return None
    groups = [dataset, *(frame_group(dataset, frame, keyword) for keyword in _FRAME_TYPES)]
    if not any(text(group, "PixelPresentation") in ("COLOR", "MIXED") for group in groups):
        return None
    descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor")
    if len(descriptor) != 3 or stored.dtype.kind not in "iu":
        return None
    first = int(descriptor[1])
    if integer(dataset, "PixelRepresentation") == 1 and first >= 1 << 15:
        first -= 1 << 16
    colored = stored >= first
    if not colored.any():
        return None
    count = (int(descriptor[0]) & 0xFFFF) or 1 << 16
    index = np.clip(stored.astype(np.int64) - first, 0, count - 1)
    shift = 8 if descriptor[2] > 8 else 0
    channels = []
    for color in _COLORS:
        entries = table_entries(table_data(dataset, f"{color}PaletteColorLookupTableData"), count)
        if entries is None:
            raise UserError("The color palette is damaged; export the image again as RGB.")
        channels.append((entries >> shift).astype(np.uint8)[index])
    return colored, np.stack(channels, axis=-1)


def apply_palette(indices: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    """RGB uint8 [H, W, 3] of palette indices [H, W], by discrete or segmented palettes of 8 or 16 bits.

    Raises:
        UserError: a palette is missing or damaged.
    """
    try:
        with collect_warnings():
            colors = np.asarray(apply_color_lut(indices, _palettes(dataset)))
    except Exception as error:  # pydicom documents no exception types for damaged palettes
        raise UserError("The color palette is missing or damaged; export the image again as RGB.") from error
    descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor")
    bits = 16 if len(descriptor) == 3 and descriptor[2] > 8 else 8
    if colors.dtype.itemsize > 1 and bits == 16:
        colors = colors >> 8
    return np.ascontiguousarray(colors[..., :3].astype(np.uint8))


def _palettes(dataset: Dataset) -> Dataset:
    """The palettes alone in little endian, which `apply_color_lut` assumes for all but segmented ones."""
    found = Dataset()
    found.set_original_encoding(False, True)
    for color in _COLORS:
        for keyword in (f"{color}PaletteColorLookupTableData", f"Segmented{color}PaletteColorLookupTableData"):
            data = table_data(dataset, keyword)
            if data is not None:
                setattr(found, keyword, data)
        keyword = f"{color}PaletteColorLookupTableDescriptor"
        if keyword in dataset:
            setattr(found, keyword, dataset[keyword].value)
    return found
