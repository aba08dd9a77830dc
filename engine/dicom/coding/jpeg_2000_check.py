"""Checks a JPEG 2000 frame before it is decoded. Decodes nothing.

The libraries loop over boxes of length 0 and take memory for whatever size is claimed (ISO/IEC 15444-1 A.5.1, annex I).
"""

import struct

_BOXES = b"\0\0\0\x0cjP  "
MAX_TILES = 4096
"""More tiles are tried out first; each takes memory, however small."""


def jpeg_2000_fault(data: bytes, rows: int, columns: int, samples: int) -> str:
    """Why this is no sound codestream of such a frame; "" if nothing is found.

    Args:
        data: a codestream, or one in boxes, which DICOM does not allow but some files have.
        rows: of the header, like the following.
        columns: in pixels.
        samples: per pixel.
    """
    start = _codestream(data)
    if start is None:
        return "its boxes are damaged"
    if data[start : start + 4] != b"\xff\x4f\xff\x51" or len(data) < start + 42:
        return "no start of image"
    right, bottom, left, top = struct.unpack(">4L", data[start + 8 : start + 24])
    (components,) = struct.unpack(">H", data[start + 40 : start + 42])
    if (right - left, bottom - top) != (columns, rows):
        return "its size differs from the header's"
    return "" if components == samples else "its number of samples differs from the header's"


def is_plain(data: bytes) -> bool:
    """Whether a sound codestream has no boxes and few tiles, so that it takes time and memory by its pixels only."""
    if data.startswith(_BOXES):
        return False
    right, bottom = struct.unpack(">LL", data[8:16])
    width, height, left, top = struct.unpack(">4L", data[24:40])
    if not width or not height:
        return False
    tiles: int = -(-(right - left) // width) * -(-(bottom - top) // height)
    return tiles <= MAX_TILES


def _codestream(data: bytes) -> int | None:
    """Where the codestream begins; None where the boxes before it do not lead there."""
    at = 0
    while data.startswith(_BOXES) and at + 8 <= len(data):
        (length,) = struct.unpack(">L", data[at : at + 4])
        if data[at + 4 : at + 8] == b"jp2c":
            return at + 8
        if length < 8:
            return None
        at += length
    return None if at else 0
