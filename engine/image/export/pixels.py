"""Writes the frames of an exported image anew: decoded, with burned-in text blacked out. Knows only the pixel module.

Every frame is decoded, so comments in codestreams, bits beside the sample and bytes behind the last frame stay behind.
A frame with text is read again until none is found, at most `PASSES` times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from engine.dicom.values import integer
from engine.errors import Cancelled, UserError
from engine.image.picture import to_gray
from engine.image.pixels import Pixels, as_pixels, read_stored
from engine.image.window import default_window, render
from engine.models.burned_in import covered, text_boxes
from engine.models.text_detector import TextDetector
from engine.progress import IsCancelled
from engine.study import FrameRef, ImageRef

PASSES = 4
"""How often a frame is read for text. Blacking out may leave the end of a line, which the next one finds."""
MAX_BYTES = (1 << 32) - 2
"""Of native pixel data, whose length has 32 bits."""
TOO_LARGE = "Its pixel data take more than 4 GB uncompressed, which no single file can hold."
TEXT_LEFT = "Text may still be burned into frame {}; black it out at its source."
UNFOUND = "Its header says that text is burned into the pixels (0028,0301), and none was found to black out."
_KEYWORDS = {"f4": "FloatPixelData", "f8": "DoubleFloatPixelData"}


@dataclass(slots=True)
class WrittenPixels:
    """What was written of one image."""

    attributes: dict[str, Any] = field(default_factory=dict)
    """Values of the Image Pixel Module that describe it, by keyword."""
    keyword: str = "PixelData"
    text_frames: list[int] = field(default_factory=list)
    """0-based frames in which text was blacked out."""
    boxes: int = 0


def write_pixels(
    image: ImageRef, header: FileDataset, file: BinaryIO, detector: TextDetector, out: BinaryIO, cancelled: IsCancelled
) -> WrittenPixels:
    """Write the frames of an image, little endian and uncompressed, without burned-in text.

    Args:
        image: as listed.
        header: its whole header.
        file: at the pixel data element, as after `read_header`.
        detector: of text.
        out: gets the bytes.
        cancelled: asked before each frame.

    Raises:
        UserError: the pixels cannot be read, are too large, or text is left.
        Cancelled: `cancelled` returned true.
    """
    written = WrittenPixels()
    single_bits: list[NDArray[np.uint8]] = []
    for index, (array, photometric) in enumerate(_frames(image, header, file)):
        if cancelled():
            raise Cancelled
        frame = FrameRef(image, index)
        array, boxes = _without_text(array, lambda one: as_pixels(one, photometric, header, frame), index, detector)  # noqa: B023 - called at once
        if boxes:
            written.text_frames.append(index)
            written.boxes += boxes
        written.attributes = _attributes(array, photometric, header)
        written.keyword = _KEYWORDS.get(array.dtype.str[1:], "PixelData")
        if written.attributes["BitsAllocated"] == 1:  # frames follow each other within a byte (PS3.5 8.1.1)
            single_bits.append(array.astype(np.uint8).ravel())
        else:
            out.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        if out.tell() > MAX_BYTES:
            raise UserError(TOO_LARGE)
    if single_bits:
        out.write(np.packbits(np.concatenate(single_bits), bitorder="little").tobytes())
    if image.burned_in and not written.text_frames:
        raise UserError(UNFOUND)
    if out.tell() % 2:
        out.write(b"\0")
    return written


def text_in(pixels: Pixels, array: NDArray[Any], detector: TextDetector) -> tuple[NDArray[np.bool_], int]:
    """Where text is burned into a frame: bool [H, W], and the number of boxes.

    It is looked for as the file displays the frame and over all stored values, since a window or padding may hide it.

    Args:
        pixels: the frame.
        array: its stored values [H, W] or [H, W, 3].
        detector: of text.
    """
    pictures = [to_gray(render(pixels, None if pixels.is_color else default_window(pixels)))]
    if array.ndim == 2 and not pixels.is_color:
        pictures.append(_whole_range(array, pixels.inverted))
    boxes = [box for picture in pictures for box in text_boxes(detector.boxes(picture))]
    return covered(array.shape[:2], boxes), len(boxes)


def _frames(image: ImageRef, header: FileDataset, file: BinaryIO) -> Iterator[tuple[NDArray[Any], str]]:
    """Stored values of each frame, and their photometric interpretation once decoded."""
    start = file.tell()
    for index in range(image.frames):
        file.seek(start)
        yield read_stored(file, header, index)


def _without_text(
    array: NDArray[Any], seen: Callable[[NDArray[Any]], Pixels], index: int, detector: TextDetector
) -> tuple[NDArray[Any], int]:
    """A frame with its text filled with what it displays darkest, and the number of boxes of text."""
    found = 0
    for _ in range(PASSES):
        pixels = seen(array)
        mask, boxes = text_in(pixels, array, detector)
        if not boxes:
            return array, found
        gray = to_gray(render(pixels, None if pixels.is_color else default_window(pixels)))
        darkest = array[np.unravel_index(int(gray.argmin()), gray.shape)]
        array = array.copy()
        array[mask] = darkest
        found += boxes
    raise UserError(TEXT_LEFT.format(index + 1))


def _whole_range(array: NDArray[Any], inverted: bool) -> NDArray[np.uint8]:
    """Stored values from the lowest to the highest as gray levels, uint8 [H, W]; NaN and infinity are black."""
    values = np.nan_to_num(array.astype(np.float32), nan=0, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    levels = np.round((values - low) * (255 / ((high - low) or 1))).astype(np.uint8)
    return np.subtract(255, levels) if inverted else levels


def _attributes(array: NDArray[Any], photometric: str, header: FileDataset) -> dict[str, Any]:
    """The Image Pixel Module (PS3.3 C.7.6.3) of a decoded frame."""
    color = array.ndim == 3
    values: dict[str, Any] = {"Rows": array.shape[0], "Columns": array.shape[1]}
    values |= {"SamplesPerPixel": 3 if color else 1, "PhotometricInterpretation": photometric or "MONOCHROME2"}
    if color:
        values["PlanarConfiguration"] = 0
    cells = 1 if integer(header, "BitsAllocated") == 1 else 8 * array.dtype.itemsize
    values["BitsAllocated"] = cells
    if array.dtype.kind in "iu":
        stored = min(integer(header, "BitsStored") or cells, cells)
        values |= {"BitsStored": stored, "HighBit": stored - 1}
        values["PixelRepresentation"] = int(array.dtype.kind == "i")
    return values
