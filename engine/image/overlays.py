"""Reads the overlay planes of one frame (PS3.3 C.9.2): graphics and text stored as bits. Paints nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from engine.dicom.file import pixel_source

_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _DESCRIPTION, _TYPE = 0x0010, 0x0011, 0x0015, 0x0022, 0x0040
_SUBTYPE, _ORIGIN, _FIRST_FRAME, _BIT_POSITION, _LABEL, _DATA = 0x0045, 0x0050, 0x0051, 0x0102, 0x1500, 0x3000
_MAX_SIDE = 1 << 16
PixelCells = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One plane over one frame."""

    bits: NDArray[np.bool_]
    """bool [H, W]: painted where true."""
    left: int
    top: int
    """0-based image pixel of the plane's first bit; may be negative."""
    label: str = ""
    region: bool = False
    """Marks a region of interest rather than graphics (Overlay Type R)."""


def overlays(dataset: Dataset, frame: int, cells: Callable[[], PixelCells | None]) -> tuple[Overlay, ...]:
    """The planes that apply to a frame; damaged ones are left out.

    A plane without Number of Frames in Overlay and Image Frame Origin applies to every frame; otherwise its first
    frame lies on Image Frame Origin (60xx,0051). Planes that only bound the active part of an ultrasound image
    (Overlay Subtype ACTIVE ..., C.9.2.1.3) are no graphics.

    Args:
        dataset: the whole header.
        frame: 0-based.
        cells: the frame's stored words with all their bits, unsigned [H, W], for planes that lie in unused bits of the
            pixels (retired in 2004, still found); None when they cannot be had. Called only if needed.
    """
    found = []
    for group in _GROUPS:
        if (group, _ROWS) in dataset:
            plane = _plane(dataset, group, frame, cells)
            if plane is not None and plane.bits.any():
                found.append(plane)
    return tuple(found)


def _plane(dataset: Dataset, group: int, frame: int, cells: Callable[[], PixelCells | None]) -> Overlay | None:
    if _text(dataset, group, _SUBTYPE).upper().startswith("ACTIVE"):
        return None
    rows, columns = _integers(dataset, group, _ROWS), _integers(dataset, group, _COLUMNS)
    if not rows or not columns or not (0 < rows[0] < _MAX_SIDE and 0 < columns[0] < _MAX_SIDE):
        return None
    frames, first = _integers(dataset, group, _FRAMES), _integers(dataset, group, _FIRST_FRAME)
    index = frame - (first[0] - 1 if first else 0) if frames or first else 0
    if not 0 <= index < max(1, frames[0] if frames else 1):
        return None
    shape = rows[0], columns[0]
    if (group, _DATA) in dataset:
        bits = _separate(dataset, group, index, shape)
    else:
        bits = _embedded(_integers(dataset, group, _BIT_POSITION), shape, cells)
    if bits is None:
        return None
    origin = _integers(dataset, group, _ORIGIN)
    top, left = (origin[0] - 1, origin[1] - 1) if len(origin) == 2 else (0, 0)
    label = _text(dataset, group, _LABEL) or _text(dataset, group, _DESCRIPTION)
    return Overlay(bits, left, top, label, _text(dataset, group, _TYPE).upper() == "R")


def _separate(dataset: Dataset, group: int, index: int, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Overlay Data (60xx,3000): one bit a pixel, lowest bit first, frame after frame without padding (PS3.5 8.1.2)."""
    data = _value(dataset, group, _DATA)
    if not isinstance(data, bytes):
        return None
    if not dataset.original_encoding[1]:  # big endian: the bytes of each 16-bit word are exchanged
        data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    size = shape[0] * shape[1]
    start = index * size
    if len(data) * 8 < start + size:
        return None
    window = np.frombuffer(data, np.uint8)[start // 8 : (start + size + 7) // 8]
    unpacked = np.unpackbits(window, bitorder="little")[start % 8 : start % 8 + size]
    return unpacked.reshape(shape).astype(bool)


def _embedded(
    position: list[int], shape: tuple[int, int], cells: Callable[[], PixelCells | None]
) -> NDArray[np.bool_] | None:
    stored = cells() if position else None
    if stored is None or stored.shape != shape or not 0 <= position[0] < 8 * stored.dtype.itemsize:
        return None
    mask: NDArray[np.bool_] = (stored >> stored.dtype.type(position[0])) & stored.dtype.type(1) != 0
    return mask


def pixel_cells(file: BinaryIO, start: int, dataset: FileDataset, frame: int) -> PixelCells | None:
    """Stored words of a frame with their unused bits, which decoders clear; None for compressed pixels and colours.

    Args:
        file: the open image.
        start: where its pixel data element begins.
    """
    file.seek(start)
    source, options = pixel_source(file, dataset)
    kinds = {8: np.uint8, 16: np.uint16, 32: np.uint32}
    kind = kinds.get(options["bits_allocated"])
    syntax = dataset.file_meta.TransferSyntaxUID
    if kind is None or options["samples_per_pixel"] != 1 or syntax.is_compressed or isinstance(source, Dataset):
        return None
    shape = options["rows"], options["columns"]
    order = np.dtype(kind).newbyteorder("<" if syntax.is_little_endian else ">")
    size = shape[0] * shape[1] * order.itemsize
    source.seek(frame * size, 1)
    data = source.read(size)
    return np.frombuffer(data, order).reshape(shape).astype(kind) if len(data) == size else None


def _value(dataset: Dataset, group: int, element: int) -> object:
    try:
        found = dataset.get((group, element))
        return None if found is None else found.value
    except Exception:  # a damaged value raises whatever its converter raises: here it is the same as absent
        return None


def _integers(dataset: Dataset, group: int, element: int) -> list[int]:
    value = _value(dataset, group, element)
    parts = value if isinstance(value, list | tuple) or hasattr(value, "__iter__") else [value]
    try:
        return [int(part) for part in parts]
    except (TypeError, ValueError):
        return []


def _text(dataset: Dataset, group: int, element: int) -> str:
    value = _value(dataset, group, element)
    return "" if value is None else str(value).strip()
