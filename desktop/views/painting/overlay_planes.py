"""Paints DICOM overlay planes; keeps the images that are made of them. Decides nothing else."""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from desktop import theme
from desktop.state.pictures.pyramid import any_of_four
from desktop.views.painting.canvas import Canvas, Painter
from engine.image.overlays import Overlay

PLANE_BYTES = 128 * 1024 * 1024
"""Of overlay planes kept as images: a radiograph's takes 30 MB, a CT slice's 1 MB."""
SMALLEST = 0.75
"""Pixels of the screen for a bit: with fewer a line of one bit would fade, or fall between them."""


def overlay_painter() -> Painter:
    """DICOM overlay planes with a dark rim of one bit; hidden with the corner texts, and with the identity, for a name
    may be drawn in them. No bit is lost where the image is seen small."""
    images = PlaneImages()

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.texts or not canvas.identity:
            return
        times = halvings(canvas.state.scale)
        for plane in picture.pixels.overlays:
            rim = QTransform.fromTranslate(-1, -1)
            place = QTransform.fromScale(2**times, 2**times) * QTransform.fromTranslate(plane.left, plane.top)
            painter.save()
            painter.setTransform(rim * place * canvas.transform, True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            color = theme.ON_IMAGE_ACCENT if plane.region else theme.ON_IMAGE_MARK
            painter.drawImage(0, 0, images.of(plane, color, times))
            painter.restore()

    return paint


def halvings(scale: float) -> int:
    """How often a plane is halved before it is painted at that many pixels of the screen a bit."""
    times = 0
    while scale * 2**times < SMALLEST:
        times += 1
    return times


class PlaneImages:
    """The planes painted last, as images: a paint while zooming takes a fraction of making them."""

    def __init__(self, limit: int = PLANE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[int, str, int], tuple[Overlay, QImage]] = OrderedDict()

    def of(self, plane: Overlay, color: str, times: int = 0) -> QImage:
        """Made once for each plane, the very object, colour and size; the newest is kept even beyond the limit."""
        key = (id(plane), color, times)
        if key not in self._kept:  # with the plane: its id is no other's meanwhile
            self._kept[key] = (plane, plane_image(plane, color, times))
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self.size > self._limit:
            self._kept.popitem(last=False)
        return self._kept[key][1]

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return sum(image.sizeInBytes() for _, image in self._kept.values())


def plane_image(plane: Overlay, color: str, times: int = 0) -> QImage:
    """The plane's bits, halved that often, in colour, one pixel of rim around each, one pixel wider on every side."""
    bits = plane.bits
    for _ in range(times):
        bits = _halved(bits)
    rows, columns = bits.shape
    padded = np.pad(bits, 2)
    near = np.zeros((rows + 2, columns + 2), bool)
    for down in range(3):
        for right in range(3):
            near |= padded[down : down + rows + 2, right : right + columns + 2]
    rim = np.where(near, np.uint32(0xA0000000), np.uint32(0))
    argb = np.where(np.pad(bits, 1), np.uint32(QColor(color).rgba()), rim)
    data = np.ascontiguousarray(argb, np.uint32)
    return QImage(data.data, columns + 2, rows + 2, 4 * (columns + 2), QImage.Format.Format_ARGB32).copy()


def _halved(bits: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """bool [(H + 1) // 2, (W + 1) // 2]: set where any of 2 x 2 is, the last row and column included."""
    rows, columns = bits.shape
    return any_of_four(np.pad(bits, ((0, rows % 2), (0, columns % 2))))
