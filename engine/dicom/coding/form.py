"""Recognizes which codec wrote a codestream, from its first bytes. Knows no labels, no files and no decoders.

Codestreams identify themselves (ISO/IEC 10918-1 B.2, 14495-1 C.1, 15444-1 A.5, 18181-2; PS3.5 G.5); a transfer syntax
is only what the sender wrote beside them.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

JPEG_XL = UID("1.2.840.10008.1.2.4.112")
JPEG_PROGRESSIVE = UID("1.2.840.10008.1.2.4.55")
_FRAME_HEADERS = {
    0xC0: JPEGBaseline8Bit,
    0xC1: JPEGExtended12Bit,
    0xC2: JPEG_PROGRESSIVE,
    0xC3: JPEGLossless,
    0xF7: JPEGLSNearLossless,
}
"""Codec by the JPEG marker that begins the frame header (SOF0 to SOF3, SOF55)."""
_JPEG = (b"\xff\xd8\xff",)
_JPEG_2000 = (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL ")
_SIGNATURES = (*_JPEG, *_JPEG_2000, b"\0\0\0\x0cJXL ")
"""Of codestreams; two bytes, as of a bare JPEG XL one, may stand anywhere."""
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_FAMILIES = (
    {JPEGBaseline8Bit, JPEGExtended12Bit},
    {JPEGLossless, JPEGLosslessSV1},
    {JPEGLSLossless, JPEGLSNearLossless},
    {JPEG2000, JPEG2000Lossless},
    {HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL},
)
"""Transfer syntaxes of one decoder."""


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a codestream says of itself."""

    syntax: UID
    """A transfer syntax whose decoder reads it."""
    precision: int | None = None
    """Bits of a sample; None where the codestream holds whole pixel cells (RLE) or does not say."""


START = 64
"""Bytes that tell whether a codestream begins."""


def begins_codestream(data: bytes) -> bool:
    """Whether the first bytes of a fragment are those of a codestream of any codec."""
    return data.startswith(_SIGNATURES) or _is_rle(data)


def codestream(data: bytes) -> Codestream | None:
    """What the first bytes of a codestream are; None when they are none, or when more bytes are needed."""
    if data.startswith(_JPEG):
        return _jpeg(data)
    if data.startswith(_JPEG_2000):
        return _jpeg_2000(data)
    if data.startswith(_JPEG_XL):
        return Codestream(JPEG_XL)
    return Codestream(RLELossless) if _is_rle(data) else None


def same_decoder(syntax: UID, other: UID) -> bool:
    """Whether one decoder reads both transfer syntaxes."""
    return syntax == other or any(syntax in family and other in family for family in _FAMILIES)


def _jpeg(data: bytes) -> Codestream | None:
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _FRAME_HEADERS:
            return Codestream(_FRAME_HEADERS[marker], data[at + 4])
        at += 2 if marker in _WITHOUT_LENGTH else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _jpeg_2000(data: bytes) -> Codestream | None:
    """SIZ gives the precision; a CAP marker after it makes the stream High-Throughput (ISO/IEC 15444-15)."""
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(data) < start + 43:
        return None
    after = start + 4 + int.from_bytes(data[start + 4 : start + 6], "big")
    precision = (data[start + 42] & 0x7F) + 1
    return Codestream(HTJ2K if data[after : after + 2] == b"\xff\x50" else JPEG2000, precision)


def _is_rle(data: bytes) -> bool:
    """An RLE header: the number of segments, then their ascending offsets from 64, then zeros (PS3.5 G.5)."""
    if len(data) < 64:
        return False
    count, *offsets = struct.unpack("<16L", data[:64])
    if not 1 <= count <= 15 or offsets[0] != 64 or any(offsets[count:]):
        return False
    return all(one < other for one, other in pairwise(offsets[:count]))
