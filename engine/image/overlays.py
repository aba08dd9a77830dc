"""Reads the overlay planes of one frame (PS3.3 C.9.2): graphics and text stored as bitmaps. Paints nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from engine.dicom.coding.bounded_read import read_up_to
from engine.dicom.coding.image_pixel import high_bit
from engine.dicom.coding.pixel_data import pixel_source
from engine.dicom.values import integer

_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _FRAMES, _DESCRIPTION, _TYPE = 0x0010, 0x0011, 0x0015, 0x0022, 0x0040
_SUBTYPE, _ORIGIN, _FIRST_FRAME, _BIT_POSITION, _LABEL, _DATA = 0x0045, 0x0050, 0x0051, 0x0102, 0x1500, 0x3000
_MAX_SIDE = 1 << 16
PixelCells = NDArray[np.unsignedinteger]


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One overlay plane of one frame."""

    bits: NDArray[np.bool_]
    """bool [H, W]: painted where true."""
    left: int
    top: int
    """Column (`left`) and row (`top`) of the plane's first bit, 0-based image pixels; may be negative."""
    label: str = ""
    """Overlay Label (60xx,1500), else Overlay Description (60xx,0022)."""
    region: bool = False
    """Overlay Type (60xx,0040) is R, a region of interest, rather than G, graphics."""


def overlays(dataset: Dataset, frame: int, cells: Callable[[], PixelCells | None]) -> tuple[Overlay, ...]:
    """The non-empty overlay planes of a frame; damaged ones are left out.

    A plane without Number of Frames in Overlay (60xx,0015) and Image Frame Origin (60xx,0051) applies to every frame;
    otherwise its first frame belongs to Image Frame Origin. Planes that only outline the active area of an ultrasound
    image (Overlay Subtype ACTIVE ..., C.9.2.1.3) are left out.

    Args:
        dataset: the whole header.
        frame: 0-based.
        cells: gives the frame's pixel cells, unsigned [H, W], for planes in unused bits of the pixel data (retired in
            2004, still found), or None when there are none. Called only if needed.
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
        bits = _from_overlay_data(dataset, group, index, shape)
    else:
        position = _integers(dataset, group, _BIT_POSITION)
        bits = None if _in_sample(dataset, position) else _from_unused_bits(position, shape, cells)
    if bits is None:
        return None
    origin = _integers(dataset, group, _ORIGIN)
    top, left = (origin[0] - 1, origin[1] - 1) if len(origin) == 2 else (0, 0)
    label = _text(dataset, group, _LABEL) or _text(dataset, group, _DESCRIPTION)
    return Overlay(bits, left, top, label, _text(dataset, group, _TYPE).upper() == "R")


def _from_overlay_data(dataset: Dataset, group: int, index: int, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """A plane in Overlay Data (60xx,3000): 1 bit per pixel, lowest bit first, frames unpadded (PS3.5 8.1.2)."""
    data = _value(dataset, group, _DATA)
    if not isinstance(data, bytes):
        return None
    if not dataset.original_encoding[1]:  # big endian: swap the bytes of each 16-bit word
        data = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype("<u2").tobytes()
    size = shape[0] * shape[1]
    start = index * size
    if len(data) * 8 < start + size:
        return None
    packed = np.frombuffer(data, np.uint8)[start // 8 : (start + size + 7) // 8]
    unpacked = np.unpackbits(packed, bitorder="little")[start % 8 : start % 8 + size]
    return unpacked.reshape(shape).astype(bool)


def _from_unused_bits(
    position: list[int], shape: tuple[int, int], cells: Callable[[], PixelCells | None]
) -> NDArray[np.bool_] | None:
    """A plane in one bit of the pixel cells: Overlay Bit Position (60xx,0102)."""
    stored = cells() if position else None
    if stored is None or stored.shape != shape or not 0 <= position[0] < 8 * stored.dtype.itemsize:
        return None
    mask: NDArray[np.bool_] = (stored >> stored.dtype.type(position[0])) & stored.dtype.type(1) != 0
    return mask


def _in_sample(dataset: Dataset, position: list[int]) -> bool:
    """Whether Overlay Bit Position is one of the bits of the sample, which no overlay can use (PS3.5 8.1.1)."""
    stored = integer(dataset, "BitsStored")
    if not position or stored is None:
        return False
    top = high_bit(dataset)
    top = stored - 1 if top is None else top
    return top - stored < position[0] <= top


def pixel_cells(file: BinaryIO, start: int, dataset: FileDataset, frame: int) -> PixelCells | None:
    """Pixel cells of a frame with their unused bits (PS3.5 8.1.1), which decoders clear; None if compressed or color.

    Args:
        file: the open image.
        start: offset of its pixel data element.
        dataset: its header.
        frame: 0-based.

    Returns:
        uint8, uint16 or uint32 [H, W] in native byte order.
    """
    file.seek(start)
    source, options = pixel_source(file, dataset)
    kinds = {8: np.uint8, 16: np.uint16, 32: np.uint32}
    kind = kinds.get(options["bits_allocated"])
    syntax = options["transfer_syntax_uid"]
    if kind is None or options["samples_per_pixel"] != 1 or syntax.is_compressed or isinstance(source, Dataset):
        return None
    shape = options["rows"], options["columns"]
    order = np.dtype(kind).newbyteorder("<" if syntax.is_little_endian else ">")
    size = shape[0] * shape[1] * order.itemsize
    source.seek(frame * size, 1)
    data = read_up_to(source, size)
    return np.frombuffer(data, order).reshape(shape).astype(kind) if len(data) == size else None


def _value(dataset: Dataset, group: int, element: int) -> object:
    try:
        found = dataset.get((group, element))
        return None if found is None else found.value
    except Exception:  # converters of damaged values raise anything
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
