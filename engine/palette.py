"""Turns palette indices into RGB (PS3.3 C.7.6.3.1.5, C.7.9). Knows no files."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from engine.dicom_notes import notes_of_pydicom
from engine.dicom_values import numbers
from engine.errors import UserError


def apply_palette(indices: NDArray[Any], dataset: Dataset) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] from the palettes of the dataset, discrete or segmented, of 8 or 16 bits.

    Raises:
        UserError: the palettes are missing or damaged.
    """
    try:
        with notes_of_pydicom():
            colors = np.asarray(apply_color_lut(indices, dataset))
    except Exception as error:  # pydicom promises no exception type for damaged palettes
        raise UserError("The colour palette is missing or damaged; export the image again as RGB.") from error
    descriptor = numbers(dataset, "RedPaletteColorLookupTableDescriptor")
    bits = 16 if len(descriptor) == 3 and descriptor[2] > 8 else 8
    if colors.dtype.itemsize > 1 and bits == 16:
        colors = colors >> 8
    return np.ascontiguousarray(colors[..., :3].astype(np.uint8))
