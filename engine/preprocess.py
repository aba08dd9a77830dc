"""The one way from a displayed picture to what the image tower sees. Shared by training and serving.

Knows nothing of DICOM or of models: normalisation and the copy to three channels happen inside the network.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import UserError

Gray = NDArray[np.uint8]


def deep_to_gray(values: NDArray[np.integer[Any]]) -> Gray:
    """uint8 [H, W] from gray of more than 8 bits, none below 0, as if Bits Stored (PS3.3 C.7.6.3) were what the
    brightest value needs: 12-bit values in a 16-bit file, which nothing in the file tells, are no black picture.
    """
    bits = int(values.max(initial=0)).bit_length()
    return (values >> max(0, bits - 8)).astype(np.uint8)


def to_square(image: Gray, size: int) -> Gray:
    """Scale an 8-bit picture so that its longest side is `size`, centred on black.

    The whole picture stays visible and keeps its aspect: a radiograph cut at the edge may lose the finding.

    Args:
        image: uint8 [H, W], rows from top to bottom, 0 is black.
        size: side of the result in pixels.

    Returns:
        uint8 [size, size].

    Raises:
        UserError: the picture is not an 8-bit two-dimensional array, or is empty.
    """
    if image.dtype != np.uint8 or image.ndim != 2 or 0 in image.shape:
        raise UserError(
            f"A picture must be an 8-bit grayscale array, but this one is {image.dtype} {list(image.shape)}; "
            "convert it first."
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
    """Stack pictures of any sizes into the model's input, uint8 [N, size, size]."""
    if not images:
        return np.zeros((0, size, size), np.uint8)
    return np.stack([to_square(image, size) for image in images])
