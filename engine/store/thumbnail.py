"""Images as the archive stores them: 8-bit PNG, longest side 512. Knows no tables and no windows."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import UserError

LONGEST_SIDE = 512


@dataclass(frozen=True, slots=True)
class Png:
    """An encoded image, without metadata."""

    data: bytes
    height: int
    """Pixels."""
    width: int
    """Pixels."""


def shrink(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image at stored size, uint8 [H, W]: longest side at most 512, never enlarged."""
    height, width = gray.shape
    scale = LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return gray
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(gray).resize(size, Image.Resampling.BICUBIC))


def to_png(gray: NDArray[np.uint8]) -> Png:
    """Shrink and encode; only pixels are written, no metadata of the source."""
    small = shrink(gray)
    buffer = io.BytesIO()
    Image.fromarray(small).save(buffer, format="PNG", compress_level=4)
    return Png(buffer.getvalue(), small.shape[0], small.shape[1])


def from_png(data: bytes) -> NDArray[np.uint8]:
    """Decode the PNG of `to_png` to uint8 [H, W].

    Raises:
        UserError: it is damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode != "L" or max(image.size) > LONGEST_SIDE:
                raise ValueError(image.mode)
            return np.asarray(image)
    except (OSError, SyntaxError, TypeError, ValueError, Image.DecompressionBombError) as error:
        raise UserError("A stored image is damaged; restore the archive or the reports from a backup.") from error
