"""Scales images to the input of the image tower; shared by training and serving.

Does not know DICOM or models: normalization and the copy to three channels happen inside the network.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import UserError

Gray = NDArray[np.uint8]


def high_bits_to_gray(values: NDArray[np.integer[Any]]) -> Gray:
    """Reduce non-negative gray values of more than 8 bits to uint8 [H, W].

    The bit depth is that of the brightest value, in place of Bits Stored (PS3.3 C.7.6.3), which PNG does not record:
    12-bit values in a 16-bit file would otherwise become an almost black image.
    """
    bits = int(values.max(initial=0)).bit_length()
    return (values >> max(0, bits - 8)).astype(np.uint8)


def to_square(image: Gray, size: int) -> Gray:
    """Scale an 8-bit image so that its longest side is `size`, centered on black.

    The image is not cropped, because a finding may be at the edge, and keeps its aspect ratio.

    Args:
        image: uint8 [H, W], rows from top to bottom, 0 is black.
        size: side of the result in pixels.

    Returns:
        uint8 [size, size].

    Raises:
        UserError: the image is not an 8-bit two-dimensional array, or is empty.
    """
    if image.dtype != np.uint8 or image.ndim != 2 or 0 in image.shape:
        raise UserError(
            f"The image must be an 8-bit grayscale array, not {image.dtype} {list(image.shape)}; convert it first."
        )
    height, width = image.shape
    scale = size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    resized = np.asarray(Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BICUBIC))
    square = np.zeros((size, size), np.uint8)
    top, left = (size - new_height) // 2, (size - new_width) // 2
    square[top : top + new_height, left : left + new_width] = resized
    return square


def batch(images: Sequence[Gray], size: int) -> Gray:
    """Scale images uint8 [H, W] of any sizes and stack them, uint8 [N, size, size]."""
    if not images:
        return np.zeros((0, size, size), np.uint8)
    return np.stack([to_square(image, size) for image in images])
