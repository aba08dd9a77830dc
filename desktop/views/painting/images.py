"""Converts frames rendered for the screen to QImage. Knows no viewport."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from desktop.state.pictures.picture import Image
from engine.image.colour_tables import colour_table

OPAQUE = np.uint32(0xFF000000)


def to_qimage(image: Image, colours: str = "") -> QImage:
    """A copy of uint8 [H, W] or [H, W, 3] with 32 bits a pixel: Qt takes two to three times as long to scale others.

    `colours` names a table of engine.image.colour_tables for gray levels; "" leaves them gray.
    """
    height, width = image.shape[:2]
    if image.ndim == 3:
        image = np.ascontiguousarray(image)
        made = QImage(image.data, width, height, image.strides[0], QImage.Format.Format_RGB888)
        return made.convertToFormat(QImage.Format.Format_RGB32)
    made = QImage(width, height, QImage.Format.Format_RGB32)
    words = np.frombuffer(made.bits(), np.uint32).reshape(height, width)
    if colours:
        np.take(_words(colours), image, out=words, mode="clip")
    else:  # by NumPy, since Qt hands the conversion to threads that have to wait while all cores decode
        np.multiply(image, np.uint32(0x010101), out=words, dtype=np.uint32)
        words |= OPAQUE
    return made


@cache
def _words(colours: str) -> NDArray[np.uint32]:
    """uint32 [256]: what a screen wants for each gray level."""
    levels = np.full((256, 4), 255, np.uint8)
    levels[:, :3] = colour_table(colours)[:, ::-1]
    return levels.view("<u4").ravel().astype(np.uint32)
