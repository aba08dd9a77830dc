"""Converts rendered frames to QImage. Knows no viewport."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from desktop.state.pictures.picture import Image
from engine.image.color_maps import color_map_table

PIXELS_FROM = 8
"""Logical pixels per image pixel from which the image is drawn without smoothing."""
OPAQUE = np.uint32(0xFF000000)


def to_qimage(image: Image, color_map: str = "") -> QImage:
    """A 32-bit copy of uint8 [H, W] or [H, W, 3]. Qt takes two to three times as long to scale other formats.

    Args:
        color_map: name in engine.image.color_maps, applied to gray levels; "" leaves them gray.
    """
    height, width = image.shape[:2]
    if image.ndim == 3:
        image = np.ascontiguousarray(image)
        made = QImage(image.data, width, height, image.strides[0], QImage.Format.Format_RGB888)
        return made.convertToFormat(QImage.Format.Format_RGB32)
    made = QImage(width, height, QImage.Format.Format_RGB32)
    argb = np.frombuffer(made.bits(), np.uint32).reshape(height, width)
    if color_map:
        np.take(_argb_levels(color_map), image, out=argb, mode="clip")
    else:  # by NumPy: Qt would use a thread pool, which waits while all cores decode
        np.multiply(image, np.uint32(0x010101), out=argb, dtype=np.uint32)
        argb |= OPAQUE
    return made


@cache
def _argb_levels(color_map: str) -> NDArray[np.uint32]:
    """ARGB of each gray level, uint32 [256]."""
    levels = np.full((256, 4), 255, np.uint8)
    levels[:, :3] = color_map_table(color_map)[:, ::-1]
    return levels.view("<u4").ravel().astype(np.uint32)
