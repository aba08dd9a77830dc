"""Paints DICOM overlay planes and caches their images."""

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage, QPainter, QTransform

from desktop import theme
from desktop.state.pictures.pyramid import any_of_four
from desktop.views.painting.canvas import Canvas, Painter
from engine.image.overlays import Overlay

PLANE_BYTES = 128 * 1024 * 1024
"""Limit of the cache. The image of a plane takes 30 MB for a radiograph, 1 MB for a CT slice."""
SMALLEST = 0.75
"""Screen pixels per bit; with fewer, a line of one bit would fade or vanish."""


def overlay_painter() -> Painter:
    """Paints DICOM overlay planes with a dark rim of one bit; no bit is lost when the image is zoomed out.

    Hidden with the overlay text, and with patient data, since a plane may contain a name.
    """
    images = PlaneImages()

    def paint(painter: QPainter, canvas: Canvas) -> None:
        picture = canvas.state.picture
        if picture is None or not canvas.overlay_text_visible or not canvas.patient_data_visible:
            return
        times = halvings_at(canvas.state.scale)
        for plane in picture.pixels.overlays:
            rim = QTransform.fromTranslate(-1, -1)
            placement = QTransform.fromScale(2**times, 2**times) * QTransform.fromTranslate(plane.left, plane.top)
            painter.save()
            painter.setTransform(rim * placement * canvas.transform, True)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            color = theme.ON_IMAGE_ACCENT if plane.region else theme.ON_IMAGE_MARK
            painter.drawImage(0, 0, images.of(plane, color, times))
            painter.restore()

    return paint


def halvings_at(scale: float) -> int:
    """How often a plane is halved before it is painted at `scale` screen pixels per bit."""
    times = 0
    while scale * 2**times < SMALLEST:
        times += 1
    return times


class PlaneImages:
    """A cache of the planes painted last, as images: painting them takes a fraction of making them."""

    def __init__(self, limit: int = PLANE_BYTES) -> None:
        self._limit = limit
        self._images: OrderedDict[tuple[int, str, int], tuple[Overlay, QImage]] = OrderedDict()

    def of(self, plane: Overlay, color: str, times: int = 0) -> QImage:
        """The image of a plane, made once per object, color and size. The newest is kept even beyond the limit."""
        key = (id(plane), color, times)
        if key not in self._images:  # keeps the plane, so that its id stays unique
            self._images[key] = (plane, plane_image(plane, color, times))
        self._images.move_to_end(key)
        while len(self._images) > 1 and self.size > self._limit:
            self._images.popitem(last=False)
        return self._images[key][1]

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return sum(image.sizeInBytes() for _, image in self._images.values())


def plane_image(plane: Overlay, color: str, times: int = 0) -> QImage:
    """The bits of a plane in color with a rim of one pixel, halved `times` times; one pixel wider on each side."""
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
    """Half the size, rounded up, bool [(H + 1) // 2, (W + 1) // 2]: set where any of 2 x 2 bits is."""
    rows, columns = bits.shape
    return any_of_four(np.pad(bits, ((0, rows % 2), (0, columns % 2))))
